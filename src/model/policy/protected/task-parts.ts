import { keptOf, type ReadParts } from './parts.ts'

/** `tasks.py` at the top: of invoke, all of it; else it is an ordinary module of that name. */
export const tasksPyParts: ReadParts = (text) =>
  new Map(/^[ \t]*(?:from|import)\s+invoke\b/m.test(text) ? [['its tasks', text]] : [])

/** `project.json` of Nx: its targets. */
export const projectJsonParts: ReadParts = (text) => {
  const root: unknown = text.trim() === '' ? {} : JSON.parse(text.replace(/^\ufeff/, ''))
  const targets: unknown = typeof root === 'object' && root !== null && 'targets' in root ? root.targets : {}
  const entries = typeof targets === 'object' && targets !== null ? Object.entries(targets) : []
  return new Map(entries.map(([name, target]) => [`targets.${name}`, JSON.stringify(target)]))
}

const tests = /^(?:add_test|enable_testing|include|\w*_discover_tests|\w*add_\w*tests?)$/i
const settings =
  /^(?:set_tests_properties|set_property|return|add_compile_options|add_definitions|option|set)$/i
const ofTests = /\bTEST\b|\bCMAKE_\w*(?:FLAGS|TEST)|\bCTEST_|\bBUILD_TESTING\b|-W|-D/

/** `CMakeLists.txt`: tests that are there stay as they are; how tests run and what the compiler warns of does not change. */
export const cmakeParts: ReadParts = (text) => {
  const parts = new Map<string, string>()
  const code = text.replace(/#\[\[(?:(?!#\[\[)[\s\S])*?\]\]|#[^\n]*/g, '')
  for (const [, name = '', inner = ''] of code.matchAll(/\b(\w+)\s*\(((?:[^()]|\([^()]*\)){0,5000})\)/g)) {
    const call = `${name.toLowerCase()}(${inner.replace(/\s+/g, ' ').trim()})`
    if (tests.test(name)) parts.set(`${keptOf}${call}`, '')
    else if (/^(?:set_tests_properties|return)$/i.test(name) || (settings.test(name) && ofTests.test(inner)))
      parts.set(call, '')
  }
  return parts
}
