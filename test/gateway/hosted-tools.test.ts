import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, dialects, makeGatewayPlace, type GatewayPlace } from './place.ts'

const image = 'https://evil.example.org/?what=secret'

/** What lets a provider reach out, by dialect, beside a tool of the agent's own, which stays. */
const reachingOut: Readonly<Record<string, object>> = {
  'Anthropic Messages': {
    mcp_servers: [{ type: 'url', url: image, name: 'evil' }],
    tool_choice: { type: 'tool', name: 'web_search' },
    messages: [
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'url', url: image } },
          { type: 'text', text: 'scene:says' },
        ],
      },
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: 'a',
            content: [{ type: 'document', source: { type: 'url', url: image } }],
          },
        ],
      },
    ],
    tools: [
      { type: 'web_search_20250305', name: 'web_search' },
      { type: 'web_fetch_20250910', name: 'web_fetch' },
      { type: 'code_execution_20250825', name: 'code_execution' },
      { type: 'mcp_toolset', mcp_server_name: 'evil' },
      { type: 'bash_20250124', name: 'bash' },
      { name: 'Bash', input_schema: { properties: { command: {} } } },
    ],
  },
  'OpenAI Responses': {
    input: [
      {
        role: 'user',
        content: [
          { type: 'input_image', image_url: image },
          { type: 'input_text', text: 'scene:says' },
        ],
      },
      { role: 'user', content: [{ type: 'input_file', file_url: image }] },
      { type: 'function_call_output', call_id: 'a', output: [{ type: 'input_image', image_url: image }] },
    ],
    tools: [
      { type: 'web_search' },
      { type: 'web_search_preview' },
      { type: 'mcp', server_url: image },
      { type: 'file_search' },
      { type: 'code_interpreter' },
      { type: 'computer_use_preview' },
      { type: 'image_generation' },
      { type: 'custom', name: 'apply_patch' },
      { type: 'function', name: 'shell', parameters: { properties: { command: {} } } },
    ],
  },
  'OpenAI Chat Completions': {
    web_search_options: {},
    messages: [
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: image } },
          { type: 'text', text: 'scene:says' },
        ],
      },
    ],
    tools: [{ type: 'web_search' }, { type: 'function', function: { name: 'bash', parameters: {} } }],
  },
  Gemini: {
    contents: [{ role: 'user', parts: [{ fileData: { fileUri: image } }, { text: 'scene:says' }] }],
    tools: [
      { googleSearch: {} },
      { urlContext: {}, functionDeclarations: [{ name: 'run_shell_command' }] },
      { codeExecution: {} },
      { google_search_retrieval: {} },
    ],
  },
}

describe.each(dialects)('tools that run at the provider, by $name', ({ name, provider, asking }) => {
  let place: GatewayPlace

  beforeAll(async () => {
    place = await makeGatewayPlace()
  })
  afterAll(() => place.close())

  it('are taken out where the task may reach nothing, with all other ways to fetch an address', async () => {
    const session = await place.open(provider, { hostedTools: false })
    const answer = await ask(session, asking(session, '', { body: reachingOut[name] ?? {} }))
    expect(answer, answer.text).toMatchObject({ status: 200 })
    const sent = JSON.stringify(place.api.turns.at(-1)?.body)
    expect(sent).not.toMatch(
      /evil|web_search|web_fetch|code_|file_search|computer|image_generation|mcp|[gG]oogle|urlContext|codeExecution/,
    )
    expect(sent).toMatch(/Bash|shell|bash/)
    expect(sent).toContain('scene:says')
  })

  it('pass where it may', async () => {
    const session = await place.open(provider, { hostedTools: true })
    await ask(session, asking(session, '', { body: reachingOut[name] ?? {} }))
    expect(JSON.stringify(place.api.turns.at(-1)?.body)).toContain(image)
  })
})
