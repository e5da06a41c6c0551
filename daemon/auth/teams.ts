import { randomUUID } from 'node:crypto'
import { GateError } from '../../schemas/words/errors.ts'

/** People that share budgets and limits. Times are Unix milliseconds. */
export type TeamRecord = {
  readonly id: string
  /** Unique, whatever its case. */
  readonly name: string
  /** Ids of users. */
  readonly members: readonly string[]
  readonly createdAt: number
}

/** What the teams need from storage. */
export type TeamStore = {
  readonly all: () => readonly TeamRecord[]
  readonly insert: (team: TeamRecord) => void
  readonly rename: (id: string, name: string) => void
  readonly remove: (id: string) => void
  readonly addMember: (id: string, userId: string) => void
  readonly removeMember: (id: string, userId: string) => void
}

export type Teams = ReturnType<typeof createTeams>

const MOST_TEAMS = 1_000

/** The teams in memory, in front of their store. @param now Unix milliseconds */
export function createTeams(store: TeamStore, now: () => number) {
  const teams = new Map(store.all().map((team) => [team.id, team]))
  const listeners: ((userIds: readonly string[], teamId: string) => void)[] = []
  const tell = (userIds: readonly string[], teamId: string) => {
    for (const listener of listeners) listener(userIds, teamId)
  }

  function existing(id: string): TeamRecord {
    const team = teams.get(id)
    if (team === undefined) throw new GateError('TEAM_NOT_FOUND', 'there is no such team; gatectl team list shows them')
    return team
  }

  const named = (name: string) => [...teams.values()].find((team) => team.name.toLowerCase() === name.toLowerCase())

  function refuseTaken(name: string): void {
    if (named(name) !== undefined) throw new GateError('NAME_TAKEN', `there is a team ${name} already`)
  }

  return {
    get: (id: string): TeamRecord | undefined => teams.get(id),
    /** @throws GateError TEAM_NOT_FOUND */
    existing,
    /** Which one an operator means. @param word an id, or a name in any case @throws GateError TEAM_NOT_FOUND */
    meant: (word: string): TeamRecord => teams.get(word) ?? named(word) ?? existing(word),
    list: (): readonly TeamRecord[] => [...teams.values()],
    /** Ids of the teams of a person. */
    of: (userId: string): readonly string[] =>
      [...teams.values()].filter(({ members }) => members.includes(userId)).map(({ id }) => id),
    /** @throws GateError NAME_TAKEN, TOO_MANY_ENTRIES, STORE_UNAVAILABLE */
    create(name: string): TeamRecord {
      refuseTaken(name)
      if (teams.size >= MOST_TEAMS)
        throw new GateError('TOO_MANY_ENTRIES', `there are ${MOST_TEAMS} teams already; remove one first`)
      const team = { id: randomUUID(), name, members: [], createdAt: now() }
      store.insert(team)
      teams.set(team.id, team)
      return team
    },
    /** @throws GateError TEAM_NOT_FOUND, NAME_TAKEN, STORE_UNAVAILABLE */
    rename(id: string, name: string): TeamRecord {
      const before = existing(id)
      if (name.toLowerCase() !== before.name.toLowerCase()) refuseTaken(name)
      store.rename(id, name)
      const team = { ...before, name }
      teams.set(id, team)
      return team
    },
    /** @throws GateError TEAM_NOT_FOUND, STORE_UNAVAILABLE */
    remove(id: string): TeamRecord {
      const team = existing(id)
      store.remove(id)
      teams.delete(id)
      tell(team.members, id)
      return team
    },
    /** @throws GateError TEAM_NOT_FOUND, STORE_UNAVAILABLE */
    addMember(id: string, userId: string): TeamRecord {
      const before = existing(id)
      if (before.members.includes(userId)) return before
      store.addMember(id, userId)
      const team = { ...before, members: [...before.members, userId] }
      teams.set(id, team)
      tell([userId], id)
      return team
    },
    /** @throws GateError TEAM_NOT_FOUND, STORE_UNAVAILABLE */
    removeMember(id: string, userId: string): TeamRecord {
      const before = existing(id)
      store.removeMember(id, userId)
      const team = { ...before, members: before.members.filter((member) => member !== userId) }
      teams.set(id, team)
      tell([userId], id)
      return team
    },
    /** Forgets a person that was removed; the store has by then. */
    forget(userId: string): void {
      for (const team of teams.values()) {
        if (!team.members.includes(userId)) continue
        teams.set(team.id, { ...team, members: team.members.filter((member) => member !== userId) })
      }
    },
    /** Calls back with the ids of those whose teams have changed, and of the team. */
    onChange: (listener: (userIds: readonly string[], teamId: string) => void): void => void listeners.push(listener),
  }
}
