import type { RepositoryRoot, Suggestion } from './ecosystem.ts'

const linterFiles = ['.golangci.yml', '.golangci.yaml', '.golangci.toml', '.golangci.json']

/** Go modules. */
export function suggestGo(root: RepositoryRoot): Suggestion | null {
  if (!root.has('go.mod')) return null
  const linted = linterFiles.some((name) => root.has(name))
  return {
    kind: 'Go',
    image: 'golang:1.25-bookworm',
    setup: root.has('go.sum') ? 'go mod download' : null,
    registry: 'go',
    checks: [
      // gofmt exits with 0 whatever it finds.
      { name: 'format', run: '! gofmt -l {files} | grep .', files: ['**/*.go'] },
      linted
        ? { name: 'lint', run: 'golangci-lint run', baseline: true }
        : { name: 'vet', run: 'go vet ./...' },
      { name: 'test', run: 'go test ./...' },
    ],
    tests: true,
  }
}
