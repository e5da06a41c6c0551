import { Agent, setGlobalDispatcher } from 'undici'

// A daemon that stops waits for connections that clients keep open, and fetch keeps them for 4 s.
setGlobalDispatcher(new Agent({ keepAliveTimeout: 50, keepAliveMaxTimeout: 50 }))
