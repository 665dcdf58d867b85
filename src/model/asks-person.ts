/** Offers at the end of an answer: polite, and nothing waits for them. */
const offers =
  /\b(?:would you like me|do you want me|shall I also|should I also|anything else|let me know if|feel free|happy to)\b/i
/** What only a person could do before the work goes on. */
const requests =
  /\bplease (?:tell|let|confirm|clarify|specify|provide|choose|say|answer|share)\b|\bcould you (?:please )?(?:tell|confirm|clarify|specify|provide|share)\b|\bwaiting for (?:your|you)\b/i

/**
 * Whether an answer ends by asking its reader something without which it does not go on. It is asked only of answers
 * that changed nothing: nobody is there to reply, so the work was not done.
 */
export function asksPerson(answer: string): boolean {
  const sentences = answer
    .trim()
    .split(/(?<=[.!?])\s+|\n+/)
    .filter((sentence) => sentence.trim() !== '')
  const last = sentences.slice(-2)
  return last.some(
    (sentence) => !offers.test(sentence) && (/\?\W*$/.test(sentence) || requests.test(sentence)),
  )
}
