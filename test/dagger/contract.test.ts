import { runtimeContract } from '../runtime-contract/contract.ts'
import { makePlace, noEngine } from './engine.ts'

runtimeContract({
  name: 'dagger',
  skipped: noEngine,
  // What images and engines set by themselves.
  moreVariables: /CERT|CA_BUNDLE|^SSL_|_VERSION$/,
  make: (options = {}) => makePlace(options),
})
