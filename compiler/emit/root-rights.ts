/**
 * Rights of root that entry points of images use before they give up being root; here they reach no further than the
 * container.
 */
export const ROOT_RIGHTS: readonly string[] = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETGID', 'SETUID']
