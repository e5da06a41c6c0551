/** The path that identity providers send browsers back to, below `server.external_url`. */
export const CALLBACK_PATH = '/auth/callback'

/** From the button of an identity provider to it and back. */
export const SIGN_IN_LIFE_S = 600

/** How long a device's codes count, and how often it asks: RFC 8628 section 3.2. */
export const DEVICE_CODE_LIFE_S = 600
export const POLL_INTERVAL_S = 5

/** RFC 8628 section 3.4. */
export const DEVICE_CODE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
