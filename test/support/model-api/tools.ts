import type { Answer, Tool, Tokens, ToolCall, Turn } from './scene.ts'

/** One call of a tool, in place of words. */
export function call(tool: ToolCall, tokens: Partial<Tokens> = {}): Answer {
  return { kind: 'calls', calls: [tool], tokens }
}

/** Runs a shell command with whatever tool the command line offers for it. */
export function shell(turn: Turn, command: string): ToolCall {
  const tool = turn.tools.find(
    ({ name, properties }) =>
      /bash|shell|exec|terminal/i.test(name) && ('command' in properties || 'cmd' in properties),
  )
  if (tool === undefined) throw new Error(`no shell among ${turn.tools.map(({ name }) => name).join(', ')}`)
  const key = 'command' in tool.properties ? 'command' : 'cmd'
  const value = tool.properties[key]?.type === 'array' ? ['sh', '-c', command] : command
  const described = 'description' in tool.properties ? { description: 'Runs a command' } : {}
  return { name: tool.name, arguments: { [key]: value, ...described } }
}

/** Writes a file, by the tool for it or by the shell. */
export function write(turn: Turn, file: string, content: string): ToolCall {
  const tool = named(turn, /write/i, ['content'])
  if (tool === undefined) return shell(turn, `cat >${file} <<'END_OF_FILE'\n${content}\nEND_OF_FILE`)
  return { name: tool.name, arguments: { [pathKey(tool)]: inside(turn, file), content: `${content}\n` } }
}

/** Looks at a file. */
export function read(turn: Turn, file: string): ToolCall {
  const tool = turn.tools.find((each) => /^read/i.test(each.name) && pathKey(each) in each.properties)
  if (tool === undefined) return shell(turn, `cat ${file}`)
  return { name: tool.name, arguments: { [pathKey(tool)]: inside(turn, file) } }
}

/** Replaces one line of a file that was read before. */
export function edit(turn: Turn, file: string, before: string, after: string): ToolCall {
  const snake = named(turn, /edit|replace/i, ['old_string', 'new_string'])
  if (snake !== undefined) {
    const words = 'instruction' in snake.properties ? { instruction: 'Change the title' } : {}
    const path = inside(turn, file)
    return {
      name: snake.name,
      arguments: { [pathKey(snake)]: path, old_string: before, new_string: after, ...words },
    }
  }
  const camel = named(turn, /edit/i, ['oldString', 'newString'])
  if (camel !== undefined) {
    const path = inside(turn, file)
    return { name: camel.name, arguments: { [pathKey(camel)]: path, oldString: before, newString: after } }
  }
  const patch = `*** Begin Patch\n*** Update File: ${file}\n@@\n-${before}\n+${after}\n*** End Patch`
  const patching = turn.tools.find(({ name }) => name === 'apply_patch')
  if (patching?.freeform === true) return { name: patching.name, arguments: patch }
  if (patching !== undefined) return { name: patching.name, arguments: { input: patch } }
  return shell(turn, `apply_patch <<'END_OF_PATCH'\n${patch}\nEND_OF_PATCH`)
}

function named(turn: Turn, pattern: RegExp, properties: readonly string[]): Tool | undefined {
  return turn.tools.find(
    (tool) => pattern.test(tool.name) && properties.every((property) => property in tool.properties),
  )
}

function pathKey({ properties }: Tool): string {
  return ['file_path', 'filePath', 'absolute_path', 'path'].find((key) => key in properties) ?? 'file_path'
}

/** Some tools take absolute paths only; the command lines tell the model where it is. */
function inside(turn: Turn, file: string): string {
  const told = /(?:working directory|<cwd>|current directory|workspace)[^/\n]{0,40}?(\/[^\s<>"'`\\,)]+)/i
  const folder = told.exec(turn.text)?.[1]?.replace(/[.:]$/, '')
  return folder === undefined ? file : `${folder.replace(/\/$/, '')}/${file}`
}
