/** The script of the pages, the one that there is. Its answers come as JSON, since browsers read options from that. */
export const PASSKEY_SCRIPT = `'use strict'
const post = async (url, body) => {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  const value = await answer.json()
  if (!answer.ok) throw new Error(value.detail || answer.statusText)
  return value
}
const on = (id, act) => {
  const button = document.getElementById(id)
  if (!button || !window.PublicKeyCredential || !PublicKeyCredential.parseRequestOptionsFromJSON) return
  button.hidden = false
  button.addEventListener('click', async () => {
    const failure = document.getElementById('passkey-failure')
    failure.hidden = true
    button.disabled = true
    try {
      await act(button)
    } catch (error) {
      failure.textContent = error.message
      failure.hidden = false
    }
    button.disabled = false
  })
}
on('passkey-login', async (button) => {
  const { options } = await post('/auth/passkey/options', {})
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options)
  const credential = await navigator.credentials.get({ publicKey })
  await post('/auth/passkey', { credential: credential.toJSON() })
  location.assign(button.dataset.return)
})
on('passkey-add', async () => {
  const { options } = await post('/api/user/passkeys/options', {})
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
  const credential = await navigator.credentials.create({ publicKey })
  const name = document.getElementById('passkey-name').value || 'passkey'
  await post('/api/user/passkeys', { name, credential: credential.toJSON() })
  location.reload()
})
`
