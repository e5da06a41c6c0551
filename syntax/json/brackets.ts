/** Bytes that open and close objects and arrays. */
export const OPENING_BRACE = 0x7b
export const CLOSING_BRACE = 0x7d
export const OPENING_BRACKET = 0x5b
export const CLOSING_BRACKET = 0x5d
