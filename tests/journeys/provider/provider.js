// A certified OpenID provider with people of its own making: whoever signs in is who they say, with any password.
// node provider.js ISSUER REDIRECT_URI
import Provider from "oidc-provider";

const [issuer, redirectUri] = process.argv.slice(2);
const provider = new Provider(issuer, {
  clients: [{ client_id: "console", client_secret: "of-the-journeys", redirect_uris: [redirectUri] }],
  claims: { openid: ["sub"], email: ["email", "email_verified", "groups"] },
  cookies: { keys: ["of-the-journeys"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: async () => ({
      sub: id,
      email: `${id}@lender.example`,
      email_verified: true,
      groups: id === "j.doe" ? ["officers"] : ["staff"],
    }),
  }),
});
provider.listen(new URL(issuer).port, "127.0.0.1");
