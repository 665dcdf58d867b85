import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startModelApi, type ModelApi } from './model-api/model-api.ts'

/** One request in each protocol, and where its words stand in the answer. */
const protocols = [
  {
    name: 'Anthropic Messages',
    path: '/v1/messages',
    key: (api: ModelApi) => ({ 'x-api-key': api.keys.anthropic }),
    body: (prompt: string, stream: boolean) => ({
      model: 'claude-test',
      max_tokens: 100,
      stream,
      messages: [{ role: 'user', content: prompt }],
      tools: [{ name: 'Bash', input_schema: { properties: { command: { type: 'string' } } } }],
    }),
  },
  {
    name: 'OpenAI Responses',
    path: '/v1/responses',
    key: (api: ModelApi) => ({ authorization: `Bearer ${api.keys.openai}` }),
    body: (prompt: string, stream: boolean) => ({
      model: 'gpt-test',
      stream,
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: prompt }] }],
      tools: [
        { type: 'function', name: 'shell', parameters: { properties: { command: { type: 'array' } } } },
      ],
    }),
  },
  {
    name: 'OpenAI Chat Completions',
    path: '/v1/chat/completions',
    key: (api: ModelApi) => ({ authorization: `Bearer ${api.keys.openai}` }),
    body: (prompt: string, stream: boolean) => ({
      model: 'gpt-test',
      stream,
      messages: [{ role: 'user', content: prompt }],
      tools: [{ type: 'function', function: { name: 'bash', parameters: { properties: { command: {} } } } }],
    }),
  },
  {
    name: 'Gemini',
    path: (stream: boolean) =>
      `/v1beta/models/gemini-test:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    key: (api: ModelApi) => ({ 'x-goog-api-key': api.keys.gemini }),
    body: (prompt: string) => ({
      contents: [{ role: 'user', parts: [{ text: prompt }] }],
      tools: [
        {
          functionDeclarations: [
            { name: 'run_shell_command', parametersJsonSchema: { properties: { command: {} } } },
          ],
        },
      ],
    }),
  },
]

describe.each(protocols)('the stand-in speaks $name', ({ path, key, body }) => {
  let api: ModelApi

  beforeAll(async () => {
    api = await startModelApi()
  })
  afterAll(() => api.close())

  const ask = (prompt: string, stream: boolean, headers = key(api)) =>
    fetch(`${api.url}${typeof path === 'string' ? path : path(stream)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body(prompt, stream)),
    })

  it.each([true, false])('words and calls, streamed: %s', async (stream) => {
    const words = await (await ask('scene:says', stream)).text()
    expect(JSON.stringify(words)).toMatch(/Nothing .*has .*done/)
    const calls = await (await ask('scene:runs', stream)).text()
    expect(calls).toContain('ran.txt')
  })

  it('refusals, counted, and with a wrong key', async () => {
    const answers = await Promise.all(
      ['429', '500', '529', 'nothing'].map((name) => ask(`scene:${name}`, true)),
    )
    expect(answers.map(({ status }) => status)).toEqual([429, 500, expect.toBeOneOf([529, 503]), 200])
    const wrong = Object.fromEntries(Object.keys(key(api)).map((name) => [name, 'Bearer wrong']))
    expect((await ask('scene:says', true, wrong as never)).status).toBeOneOf([400, 401])
    expect(api.turns.filter(({ scene }) => scene === '429')).toHaveLength(1)
    expect(api.turns.at(-1)?.keys[0]).toContain('wrong')
  })

  it('connections that break', async () => {
    await expect(ask('scene:breaks', true)).rejects.toThrow('fetch failed')
    const cut = await ask('scene:cuts', true)
    await expect(cut.text()).rejects.toThrow('terminated')
  })
})
