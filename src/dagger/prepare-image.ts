import { ImageUnusable, RuntimeFailure, type NpmProgram } from '../ports/runtime.ts'
import type { OpenEngine } from './engine.ts'
import { GraphqlError } from './graphql.ts'
import { noInstaller, type PreparedImage } from './workbench.ts'

/**
 * A container over the image, with the program where one is asked for. Rejects with {@link ImageUnusable} or
 * {@link RuntimeFailure} where it is known what is wrong, else with the engine's error.
 */
export async function prepareImage(
  { workbench }: OpenEngine,
  engine: string,
  image: string,
  program: NpmProgram | null,
): Promise<PreparedImage> {
  try {
    return await workbench.image(image, program)
  } catch (error) {
    if (program !== null && error instanceof GraphqlError && error.exec !== null) {
      throw notInstalled(image, program, error.exec)
    }
    if (error instanceof GraphqlError && isAbsent(error.message)) {
      throw new ImageUnusable(image, `cannot be had by ${engine}: ${error.message}`)
    }
    throw error
  }
}

function notInstalled(
  image: string,
  { bin, package: name, version }: NpmProgram,
  { exitCode, stderr }: { readonly exitCode: number; readonly stderr: string },
): Error {
  if (exitCode === noInstaller) {
    return new ImageUnusable(image, `has no ${bin}, and no npm to install ${name} with: build one of them in`)
  }
  const said = stderr.trim().slice(-1000)
  return new RuntimeFailure(`${name}@${version} could not be installed over the image ${image}: ${said}`)
}

/** What registries say of an image that is not there, or that these credentials may not see; not of those that are away. */
export function isAbsent(message: string): boolean {
  return /not found|invalid reference|failed to parse|repository does not exist|insufficient_scope|authorization failed|manifest unknown|pull access denied/i.test(
    message,
  )
}
