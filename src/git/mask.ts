import type { Credential } from './credentials.ts'

const mask = '***'

/** The text without the password, in any of the forms in which it travels. */
export function masked(text: string, credential: Credential): string {
  const { username, password } = credential
  const forms = [
    password,
    encodeURIComponent(password),
    Buffer.from(`${username}:${password}`).toString('base64'),
    Buffer.from(password).toString('base64'),
  ]
  return forms.reduce((result, form) => (form === '' ? result : result.replaceAll(form, mask)), text)
}
