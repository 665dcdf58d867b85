import { access, constants } from 'node:fs/promises'
import { ConfigurationError, type Settings } from '../config/settings.ts'
import { fileFault } from '../model/file-fault.ts'
import { makeFolder } from '../process/make-folder.ts'

/** Makes the home where it is missing. Throws {@link ConfigurationError} where nothing can be written there. */
export async function makeHome({ home }: Settings): Promise<void> {
  try {
    await makeFolder(home)
    await access(home, constants.W_OK)
  } catch (error) {
    throw new ConfigurationError(
      `NIGHTSHIFT_HOME: ${home} cannot be used (${fileFault(error)}): name a folder that can be written`,
    )
  }
}
