/** Whether git takes this for a branch (git check-ref-format), and it cannot be read as an option. */
export function isBranchName(name: string): boolean {
  return (
    // oxlint-disable-next-line no-control-regex -- git forbids exactly these
    !/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\.$|\/$|^\/|^-/.test(name) &&
    name !== '@' &&
    name !== 'HEAD' &&
    !name.startsWith('refs/') &&
    name.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'))
  )
}
