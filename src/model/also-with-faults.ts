/** Has a check of several fields look at every object: whoever mends what it lacks hears of all that is wrong at once. */
export const alsoWithFaults = {
  when: ({ value }: { readonly value: unknown }): boolean => typeof value === 'object' && value !== null,
}
