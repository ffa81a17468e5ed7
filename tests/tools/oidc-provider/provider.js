// A provider of single sign-on for tests: the certified implementation, with two people.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const [port, clientId, clientSecret, redirect] = process.argv.slice(2);
const issuer = `http://localhost:${port}`;
const people = {
  ada: { email: 'ada@example.com', email_verified: true },
  bob: { email: 'bob@example.com', email_verified: false },
  eve: { email: 'eve@example.com', email_verified: true },
};
const provider = new Provider(issuer, {
  clients: [{
    client_id: clientId,
    client_secret: clientSecret,
    redirect_uris: [redirect],
    grant_types: ['authorization_code'],
    response_types: ['code'],
  }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true } },
  async findAccount(_context, id) {
    const person = people[id];
    return person && { accountId: id, claims: async () => ({ sub: id, ...person }) };
  },
});
createServer(provider.callback()).listen(Number(port), 'localhost', () => console.log('ready'));
