/** How long the work of a task that ended badly can be fetched, unless the operator sets another time. */
export const defaultKeepWorkMs = 14 * 24 * 3_600_000
