import { CITY, type Client, SCHEMA, takesTools, type Untyped, WEATHER } from './client.ts'
import { clientModule } from './installed.ts'

/** @google/genai, by its chat, which keeps the history itself. */
const genai: Client = {
  name: '@google/genai',
  dialect: 'google',
  family: 'gemini-3-pro',
  async ask({ url, key, model: first, question, stream, image, wants, then, signal, hear }) {
    const { GoogleGenAI } = await clientModule('@google/genai')
    const google = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url, retryOptions: { attempts: 1 } } })
    const config = {
      ...(signal !== undefined && { abortSignal: signal }),
      ...(takesTools(wants) && {
        tools: [{ functionDeclarations: [{ name: 'get_weather', parametersJsonSchema: CITY }] }],
      }),
      ...(wants === 'thinking' && { thinkingConfig: { includeThoughts: true, thinkingBudget: 1_024 } }),
      ...(wants === 'schema' && { responseMimeType: 'application/json', responseJsonSchema: SCHEMA }),
    }
    let model = first
    let talk = google.chats.create({ model, config })
    const cities: string[] = []
    let thought = ''
    let message: Untyped[] = [
      ...(image === undefined ? [] : [{ inlineData: { mimeType: 'image/png', data: image } }]),
      { text: question },
    ]
    for (;;) {
      let text = ''
      let usage: Untyped
      const calls: Untyped[] = []
      const answers = stream ? await talk.sendMessageStream({ message }) : [await talk.sendMessage({ message })]
      for await (const answer of answers) {
        usage = answer.usageMetadata ?? usage
        for (const part of answer.candidates?.[0]?.content?.parts ?? []) {
          if (part.thought) thought += part.text
          else if (part.text) {
            text += part.text
            hear?.(part.text)
          }
        }
        calls.push(...(answer.functionCalls ?? []))
      }
      cities.push(...calls.map((call) => call.args.city))
      if (calls.length === 0 && then !== undefined && model !== then.model) {
        model = then.model
        talk = google.chats.create({ model, config, history: talk.getHistory() })
        message = [{ text: then.question }]
        continue
      }
      if (calls.length === 0) {
        const { promptTokenCount: input, candidatesTokenCount: said, thoughtsTokenCount: thinking = 0 } = usage
        return { text, thought, cities, usage: { input, output: said + thinking } }
      }
      message = calls.map(({ id, name }) => ({ functionResponse: { id, name, response: { output: WEATHER } } }))
    }
  },
}

export const GOOGLE: readonly Client[] = [genai]
