import { extname } from 'node:path'
import type { SecretScanner } from '../ports/secret-scanner.ts'

/**
 * Secretlint with the rules that it recommends, but for the one by which a comment (`secretlint-disable`) turns all
 * the others off: whoever writes the work would be their own judge. Loaded at once, in the background: the first tasks
 * shall not wait for it.
 */
export function createSecretScanner(): SecretScanner {
  const loaded = load()
  // Whoever asks is told.
  loaded.catch(() => {})
  return async (file, text) => {
    const { lintSource, config } = await loaded
    const { messages } = await lintSource({
      source: { filePath: file, content: text, contentType: 'text', ext: extname(file) },
      // The path is one of the repository: nothing on this machine may be opened by it.
      options: { config, maskSecrets: true, noPhysicFilePath: true },
    })
    return messages.map(({ ruleId, loc, range }) => ({
      line: loc.start.line,
      kind: kindOf(ruleId),
      text: text.slice(...range),
    }))
  }
}

const commentsRule = '@secretlint/secretlint-rule-filter-comments'

async function load() {
  const [{ lintSource }, preset, { secretLintProfiler }] = await Promise.all([
    import('@secretlint/core'),
    import('@secretlint/secretlint-rule-preset-recommend'),
    import('@secretlint/profiler'),
  ])
  // It keeps every measurement for ever, and nobody asks for them.
  secretLintProfiler.setEnabled(false)
  const rules = preset.rules.filter((rule) => rule.meta.id !== commentsRule)
  return { lintSource, config: { rules: rules.map((rule) => ({ id: rule.meta.id, rule })) } }
}

/** `@secretlint/secretlint-rule-github` as people say it: `github`. */
function kindOf(ruleId: string): string {
  return ruleId.replace(/^.*secretlint-rule-/, '')
}
