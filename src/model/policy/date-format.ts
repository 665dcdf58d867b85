/** The parts that a date format is made of, and the numbers that they may hold. */
const parts = {
  YYYY: { pattern: '(\\d{4})', min: 1, max: 9999 },
  MM: { pattern: '(\\d{2})', min: 1, max: 12 },
  DD: { pattern: '(\\d{2})', min: 1, max: 31 },
  HH: { pattern: '(\\d{2})', min: 0, max: 23 },
  mm: { pattern: '(\\d{2})', min: 0, max: 59 },
  ss: { pattern: '(\\d{2})', min: 0, max: 59 },
} as const

type Part = keyof typeof parts

/** Whether a text is a date format, such as `YYYY-MM-DD HH:MM`; every part at most once. */
export function isDateFormat(format: string): boolean {
  return readFormat(format) !== null
}

/** Whether a value is a date that exists, written in this format. `false` too where the format is none. */
export function isDate(format: string, value: string): boolean {
  const read = readFormat(format)
  const found = read?.pattern.exec(value)
  if (!read || !found) return false
  const numbers = new Map(read.order.map((part, index) => [part, Number(found[index + 1])]))
  for (const [part, number] of numbers) {
    if (number < parts[part].min || number > parts[part].max) return false
  }
  const [year, month, day] = [numbers.get('YYYY') ?? 2000, numbers.get('MM') ?? 1, numbers.get('DD') ?? 1]
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  // A day that the month does not have becomes one of the next month.
  return date.getUTCDate() === day
}

function readFormat(format: string): { pattern: RegExp; order: Part[] } | null {
  // Only these separators: a format is told from the name of a type, such as `text`, by what it is made of.
  if (!/^(?:YYYY|MM|DD|HH|mm|SS|ss|[-/.: TZ])+$/.test(format)) return null
  const order: Part[] = []
  const source = format.replace(/YYYY|MM|DD|HH|mm|SS|ss|[-/.: TZ]/g, (text) => {
    // People write HH:MM: after the hours, MM means minutes.
    const part = text === 'MM' && order.includes('HH') ? 'mm' : text === 'SS' ? 'ss' : text
    if (!isPart(part)) return `\\u{${part.codePointAt(0)?.toString(16)}}`
    order.push(part)
    return parts[part].pattern
  })
  if (order.length === 0 || new Set(order).size !== order.length) return null
  return { pattern: new RegExp(`^${source}$`, 'u'), order }
}

function isPart(text: string): text is Part {
  return Object.hasOwn(parts, text)
}
