/** Where the API of a provider of DNS is, unless the configuration says otherwise. */
export const CLOUDFLARE_API = 'https://api.cloudflare.com/client/v4'
