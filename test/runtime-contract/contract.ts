import { commandsContract } from './commands.ts'
import { filesContract } from './files.ts'
import { limitsContract } from './limits.ts'
import { networkContract } from './network.ts'
import type { RuntimeUnderTest } from './place.ts'
import { relaysContract } from './relays.ts'

/** Every promise of the runtime's port, tried on one runtime. */
export function runtimeContract(under: RuntimeUnderTest): void {
  commandsContract(under)
  filesContract(under)
  limitsContract(under)
  networkContract(under)
  relaysContract(under)
}
