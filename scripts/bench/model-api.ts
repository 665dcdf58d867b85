import { startModelApi } from '../../test/support/model-api/model-api.ts'

// A process of its own, as a provider is: prints its address and lives until it is ended.
const api = await startModelApi()
console.log(JSON.stringify({ url: api.url, key: api.keys.anthropic }))
