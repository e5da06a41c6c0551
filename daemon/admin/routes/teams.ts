import { removedUser, teamInfo, teamList, teamRequest } from '../../../schemas/api/users.ts'
import type { Access } from '../../auth/access.ts'
import type { TeamRecord } from '../../auth/teams.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { teamInfoOf } from '../user-info.ts'

/** Teams, for those who administer the gateway. */
export function teamRoutes({ access }: { readonly access: Pick<Access, 'users' | 'teams'> }): readonly ApiRoute[] {
  const { users, teams } = access
  const infoOf = (team: TeamRecord) => teamInfoOf(access, team)
  const changed = (before: TeamRecord, after: TeamRecord) => {
    const [old, info] = [infoOf(before), infoOf(after)]
    return json(info, { change: { object: `team:${after.id}`, old, new: info } })
  }
  return [
    apiRoute({
      method: 'GET',
      path: '/api/admin/teams',
      scope: 'admin',
      summary: 'Lists the teams',
      answer: teamList,
      handle: () => json({ teams: teams.list().map(infoOf) }),
    }),
    apiRoute({
      method: 'POST',
      path: '/api/admin/teams',
      scope: 'admin',
      summary: 'Adds a team',
      body: teamRequest,
      answer: teamInfo,
      status: 201,
      audit: 'team.create',
      handle: ({ body: { name } }) => {
        const team = teams.create(name)
        return json(infoOf(team), { change: { object: `team:${team.id}`, new: { name } } })
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/api/admin/teams/{id}',
      scope: 'admin',
      summary: 'Shows a team',
      answer: teamInfo,
      handle: ({ params: { id = '' } }) => json(infoOf(teams.existing(id))),
    }),
    apiRoute({
      method: 'PATCH',
      path: '/api/admin/teams/{id}',
      scope: 'admin',
      summary: 'Gives a team another name',
      body: teamRequest,
      answer: teamInfo,
      audit: 'team.change',
      handle: ({ params: { id = '' }, body: { name } }) => changed(teams.existing(id), teams.rename(id, name)),
    }),
    apiRoute({
      method: 'DELETE',
      path: '/api/admin/teams/{id}',
      scope: 'admin',
      summary: 'Removes a team; its members stay',
      answer: removedUser,
      audit: 'team.remove',
      handle: ({ params: { id = '' } }) => {
        const old = infoOf(teams.existing(id))
        teams.remove(id)
        return json({ id, removed: true as const }, { change: { object: `team:${id}`, old } })
      },
    }),
    apiRoute({
      method: 'PUT',
      path: '/api/admin/teams/{id}/members/{user}',
      scope: 'admin',
      summary: 'Takes a person into a team',
      answer: teamInfo,
      audit: 'team.change',
      handle: ({ params: { id = '', user = '' } }) =>
        changed(teams.existing(id), teams.addMember(id, users.existing(user).id)),
    }),
    apiRoute({
      method: 'DELETE',
      path: '/api/admin/teams/{id}/members/{user}',
      scope: 'admin',
      summary: 'Takes a person out of a team',
      answer: teamInfo,
      audit: 'team.change',
      handle: ({ params: { id = '', user = '' } }) =>
        changed(teams.existing(id), teams.removeMember(id, users.existing(user).id)),
    }),
  ]
}
