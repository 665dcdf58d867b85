import { oneLine, textWidth } from './terminal-text.ts'

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** Gives way where the table is too wide, down to this many columns. */
  readonly shrinkTo?: number
}

const gap = '  '

/**
 * A table of at most `width` columns. Cells are one line each; `paint` may colour a finished cell of a row, counted
 * from 0.
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
  paint: (text: string, row: number, column: number) => string = (text) => text,
): string {
  const clean = rows.map((row) => row.map((cell) => oneLine(cell, 500)))
  const widths = fit(
    columns,
    columns.map((column, index) =>
      Math.max(textWidth(column.title), ...clean.map((row) => textWidth(row[index] ?? ''))),
    ),
    width,
  )
  const line = (cells: readonly string[], row: number | null) =>
    columns
      .map((column, index) => {
        const size = widths[index] ?? 0
        const text = oneLine(cells[index] ?? '', size)
        const space = ' '.repeat(Math.max(0, size - textWidth(text)))
        const painted = row === null ? text : paint(text, row, index)
        return column.align === 'right' ? space + painted : painted + space
      })
      .join(gap)
      .trimEnd()
  return [
    line(
      columns.map((column) => column.title),
      null,
    ),
    ...clean.map((cells, row) => line(cells, row)),
  ].join('\n')
}

/** Takes what is too wide from the columns that give way, the widest first. */
function fit(columns: readonly Column[], natural: readonly number[], width: number): number[] {
  const widths = [...natural]
  let over = widths.reduce((sum, each) => sum + each, 0) + gap.length * (columns.length - 1) - width
  while (over > 0) {
    let widest: number | null = null
    for (const [index, column] of columns.entries()) {
      if (column.shrinkTo === undefined || (widths[index] ?? 0) <= column.shrinkTo) continue
      if (widest === null || (widths[index] ?? 0) > (widths[widest] ?? 0)) widest = index
    }
    if (widest === null) break
    widths[widest] = (widths[widest] ?? 0) - 1
    over -= 1
  }
  return widths
}
