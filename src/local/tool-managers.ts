/** A tool manager that keeps its tools under the user's home folder. */
export interface ToolManager {
  /** Folder under the home folder by which a PATH entry is known to belong to it. */
  readonly folder: string
  /** Folders under the home folder that its tools need; not more, since the rest can hold secrets. */
  readonly needs: readonly string[]
  /** Variables that tell its tools where they are, since HOME is another one inside. */
  readonly env: Readonly<Record<string, string>>
}

/**
 * Where the general rule (a PATH entry X/bin brings X) is not enough or too much. Paths are relative to the home
 * folder; of two that fit, the longer one counts.
 */
export const toolManagers: readonly ToolManager[] = [
  { folder: '.cargo', needs: ['.cargo/bin', '.rustup'], env: { RUSTUP_HOME: '.rustup' } },
  { folder: '.pyenv', needs: ['.pyenv'], env: { PYENV_ROOT: '.pyenv' } },
  { folder: '.rbenv', needs: ['.rbenv'], env: { RBENV_ROOT: '.rbenv' } },
  { folder: '.nodenv', needs: ['.nodenv'], env: { NODENV_ROOT: '.nodenv' } },
  { folder: '.volta', needs: ['.volta'], env: { VOLTA_HOME: '.volta' } },
  { folder: '.asdf', needs: ['.asdf'], env: { ASDF_DIR: '.asdf', ASDF_DATA_DIR: '.asdf' } },
  { folder: '.local/share/mise', needs: ['.local/share/mise'], env: { MISE_DATA_DIR: '.local/share/mise' } },
  { folder: '.sdkman', needs: ['.sdkman/candidates', '.sdkman/bin'], env: { SDKMAN_DIR: '.sdkman' } },
  { folder: '.bun', needs: ['.bun/bin', '.bun/install/global'], env: { BUN_INSTALL: '.bun' } },
  { folder: '.deno', needs: ['.deno/bin'], env: {} },
  { folder: '.local/share/pnpm', needs: ['.local/share/pnpm'], env: {} },
  // The rest of it is a cache of modules, private ones too.
  { folder: 'go', needs: ['go/bin'], env: {} },
  { folder: '.local/bin', needs: ['.local/bin', '.local/lib'], env: {} },
  { folder: 'bin', needs: ['bin'], env: {} },
]

/** Files that hold credentials, relative to a folder that is brought in. */
export const credentialFiles: readonly string[] = [
  '.docker/config.json',
  '.env',
  '.git-credentials',
  '.gitconfig',
  '.netrc',
  '.npmrc',
  '.pypirc',
  '.yarnrc',
  '.yarnrc.yml',
  'auth.json',
  'config.toml',
  'credentials',
  'credentials.json',
  'credentials.toml',
  'etc/npmrc',
  'lib/node_modules/npm/npmrc',
  'pip.conf',
]
