import type { RepositoryRoot, Suggestion } from './ecosystem.ts'

/** Rust, by cargo. */
export function suggestRust(root: RepositoryRoot): Suggestion | null {
  if (!root.has('Cargo.toml')) return null
  const locked = root.has('Cargo.lock') ? ' --locked' : ''
  return {
    kind: 'Rust',
    image: 'rust:1-bookworm',
    setup: `cargo fetch${locked}`,
    registry: 'cargo',
    checks: [
      { name: 'format', run: 'cargo fmt --all --check', baseline: true },
      { name: 'lint', run: `cargo clippy --all-targets${locked} -- -D warnings`, baseline: true },
      { name: 'test', run: `cargo test${locked}` },
    ],
    tests: true,
  }
}
