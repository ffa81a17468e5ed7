"""Refusals of identity (WHF02xx): sign-in, tokens, access and their administration."""

from typing import Final

from wharfinger_common.refusals import Entry

TOKEN_INVALID: Final = Entry(
    code="WHF0201",
    status=401,
    oci="UNAUTHORIZED",
    control="CRG0014E",
    iam="BXNIM0407E",
    message="The token is not valid here: {reason}",
    meaning="The bearer token was not issued by this service, or it is for another surface of it.",
    causes=(
        "A token of another registry, region or interface",
        "A token that was cut or changed on its way",
        "The credential behind the token was revoked",
    ),
    cure=("Sign in again (docker login, or POST /identity/token) and repeat the call.",),
)
TOKEN_EXPIRED: Final = Entry(
    code="WHF0202",
    status=401,
    oci="UNAUTHORIZED",
    control="CRG0014E",
    iam="BXNIM0408E",
    message="The token has expired",
    meaning="Tokens live for a time that the operator sets; this one has passed it.",
    causes=("The token is older than its lifetime", "A clock that is wrong"),
    cure=("Ask for a new token (docker login, or POST /identity/token) and repeat the call.",),
)
API_KEY_UNKNOWN: Final = Entry(
    code="WHF0203",
    status=400,
    oci="UNAUTHORIZED",
    control="CRG0014E",
    iam="BXNIM0415E",
    message="Provided API key could not be found.",
    meaning="No API key with this secret exists.",
    causes=(
        "The API key was deleted",
        "The API key was copied incompletely",
        "A key of another registry",
    ),
    cure=("Check the API key, or create a new one and sign in with that.",),
)
CREDENTIALS_WRONG: Final = Entry(
    code="WHF0204",
    status=401,
    oci="UNAUTHORIZED",
    control="CRG0014E",
    iam="BXNIM0602E",
    message="The user name and password are not accepted",
    meaning=(
        "The pair was checked and refused. Which of the two is wrong is not told. The user name iamapikey "
        "takes an API key as password, iambearer an IAM token, iamrefresh an IAM refresh token."
    ),
    causes=(
        "A mistyped or deleted API key or password",
        "The user name does not fit the kind of password",
        "An expired IAM token",
    ),
    cure=(
        "Sign in again: docker login with the user name iamapikey and a valid API key as password.",
        "For an IAM token, send the e-mail address and password of a user, or an API key.",
    ),
)
STORED_SIGN_IN_REFUSED: Final = Entry(
    code="WHF0227",
    status=401,
    oci="UNAUTHORIZED",
    control="CRG0014E",
    iam="BXNIM0602E",
    message="authentication required",
    meaning="The client sent what it has stored for this registry, and that is not accepted, or no longer.",
    causes=(
        "The IAM token, refresh token or registry token in it has expired",
        "The API key or registry token in it was deleted",
        "A mistyped key or password",
    ),
    cure=(
        "Sign in again: ibmcloud login, then ibmcloud cr login.",
        "Or docker login with the user name iamapikey and a valid API key as password.",
        "With a registry token: docker login with the user name token; where the token has ended "
        "or was removed, make a new one first ('ibmcloud cr token-add' or POST /api/v1/tokens).",
    ),
)
REGISTRY_TOKEN_UNKNOWN: Final = Entry(
    code="WHF0205",
    status=401,
    oci="UNAUTHORIZED",
    control="CRG0014E",
    iam="BXNIM0602E",
    message="The user name token needs a registry token, and this one is not accepted",
    meaning="No registry token of this region has this value. Each region has its own.",
    causes=(
        "The registry token has ended, after 24 hours unless it was made to last",
        "It was removed",
        "It was copied incompletely, or belongs to another region",
    ),
    cure=(
        "Make a new one ('ibmcloud cr token-add' or POST /api/v1/tokens), or sign in with the user "
        "name iamapikey and an API key.",
    ),
)
PROPERTY_MISSING: Final = Entry(
    code="WHF0206",
    status=400,
    oci="UNSUPPORTED",
    control="CRG0007E",
    iam="BXNIM0109E",
    message="Property missing or empty: {property}",
    meaning="The request lacks a field that this grant needs.",
    causes=("A misspelt field", "A body that is not form-encoded"),
    cure=("Send the field {property} as application/x-www-form-urlencoded.",),
)
GRANT_UNSUPPORTED: Final = Entry(
    code="WHF0207",
    status=400,
    oci="UNSUPPORTED",
    control="CRG0007E",
    iam="BXNIM0112E",
    message="The grant type {grant} is not offered here",
    meaning="The service exchanges API keys, passwords, passcodes and refresh tokens for tokens.",
    causes=("A client for another interface version", "A mistyped grant_type"),
    cure=("Use one of these grant types: {offered}.",),
)
PASSCODE_INVALID: Final = Entry(
    code="WHF0208",
    status=400,
    oci="UNAUTHORIZED",
    control="CRG0014E",
    iam="BXNIM0113E",
    message="The one-time passcode is not valid",
    meaning="A passcode counts once, for a few minutes, and a new one ends the one before.",
    causes=(
        "A mistyped passcode",
        "A passcode that was used, or has ended",
        "A newer passcode was fetched",
    ),
    cure=("Get a new passcode from the page /identity/passcode and use it at once.",),
)
NOT_IN_ACCOUNT: Final = Entry(
    code="WHF0209",
    status=400,
    oci="DENIED",
    control="CRG0009E",
    iam="BXNIM0141E",
    message="The user is not in the account {account}",
    meaning="A token can be bound only to an account that the signer-in belongs to.",
    causes=(
        "A mistyped account id",
        "The user was removed from the account",
        "An API key of another account",
    ),
    cure=("Leave the account out, or name one that you belong to.",),
)
REFRESH_INVALID: Final = Entry(
    code="WHF0210",
    status=400,
    oci="UNAUTHORIZED",
    control="CRG0014E",
    iam="BXNIM0407E",
    message="The refresh token is not valid",
    meaning="It was not issued by this service for this use, or the credential behind it was revoked.",
    causes=(
        "The API key or user behind it was deleted",
        "A token of another kind or registry",
        "A client that did not authenticate itself when it signed in, and was given not_supported",
    ),
    cure=("Sign in again with an API key or a password.",),
)
REFRESH_EXPIRED: Final = Entry(
    code="WHF0211",
    status=400,
    oci="UNAUTHORIZED",
    control="CRG0014E",
    iam="BXNIM0408E",
    message="The refresh token has expired",
    meaning="Refresh tokens live for a time that the operator sets; this one has passed it.",
    causes=("The last sign-in is too long ago",),
    cure=("Sign in again with an API key or a password.",),
)
TOO_MANY_FAILURES: Final = Entry(
    code="WHF0212",
    status=429,
    oci="TOOMANYREQUESTS",
    control="CRG0212E",
    iam="BXNIM0212E",
    message="Too many failed sign-ins; the next is taken in {seconds} seconds",
    meaning="Failed sign-ins are counted for each subject and each address, so that secrets cannot be guessed.",
    causes=("A client that keeps sending an old password or API key", "Somebody guesses passwords"),
    cure=("Correct the credentials, wait {seconds} seconds and sign in again.",),
)
SIGN_IN_BUSY: Final = Entry(
    code="WHF0213",
    status=503,
    oci="UNAVAILABLE",
    control="CRG0213E",
    iam="BXNIM0213E",
    message="Too many passwords are being checked at this moment",
    meaning="Checking a password is expensive by design, so only a few are checked at once.",
    causes=("Many sign-ins with passwords at the same time",),
    cure=("Retry after the time that the Retry-After header names; API keys are not affected.",),
)
SERVICE_UNKNOWN: Final = Entry(
    code="WHF0214",
    status=400,
    oci="UNSUPPORTED",
    control="CRG0007E",
    iam="BXNIM0214E",
    message="There is no service '{service}' to issue a token for",
    meaning="Tokens are issued for the services registry and notary.",
    causes=("A client that talks to another registry", "A mistyped service parameter"),
    cure=("Use the service that the WWW-Authenticate header of the refused call names.",),
)
SCOPE_INVALID: Final = Entry(
    code="WHF0215",
    status=400,
    oci="UNSUPPORTED",
    control="CRG0007E",
    iam="BXNIM0215E",
    message="The scope '{scope}' is malformed",
    meaning="A scope is TYPE:NAME:ACTIONS, for instance repository:team/app:pull,push.",
    causes=("A scope without name or actions",),
    cure=("Send scopes as TYPE:NAME:ACTIONS, separated by spaces or as repeated parameters.",),
)
SCOPES_TOO_MANY: Final = Entry(
    code="WHF0216",
    status=400,
    oci="UNSUPPORTED",
    control="CRG0007E",
    iam="BXNIM0216E",
    message="More than {limit} scopes in one request",
    meaning="The number of scopes in one token is bounded.",
    causes=("A client that asks for many repositories at once",),
    cure=("Ask for several tokens, or have the operator raise the setting token_scopes.",),
)
ACCOUNT_FORBIDDEN: Final = Entry(
    code="WHF0217",
    status=401,
    oci="DENIED",
    control="CRG0009E",
    iam="BXNIM0141E",
    message="You are not authorized to access the account {account}",
    meaning="The Account header names an account that you do not belong to, or that your token is not bound to.",
    causes=(
        "A mistyped account id",
        "A token bound to another account",
        "The membership was removed",
    ),
    cure=("Name the account that your API key or user belongs to.",),
)
ROLE_MISSING: Final = Entry(
    code="WHF0218",
    status=403,
    oci="DENIED",
    control="CRG0020E",
    iam="BXNIM0513E",
    message="You are not authorized to access the specified resource; it needs the role {role}",
    meaning="No access policy gives you the role that this call needs, or the resource is not in your account.",
    causes=("The access policy is missing, or for another namespace", "A mistyped name"),
    cure=("Ask a Manager of the account for the role {role}.",),
)
OPERATOR_ONLY: Final = Entry(
    code="WHF0219",
    status=403,
    oci="DENIED",
    control="CRG0020E",
    iam="BXNIM0513E",
    message="Only operators of the service may do this",
    meaning="Accounts are created by the people who run the service.",
    causes=("You are no operator",),
    cure=("Ask the operator of the service to do it.",),
)
NOT_FOUND: Final = Entry(
    code="WHF0220",
    status=404,
    oci="NAME_UNKNOWN",
    control="CRG0220E",
    iam="BXNIM0220E",
    message="The {kind} {id} does not exist in this account",
    meaning="Nothing of this kind with this id belongs to the account of the call.",
    causes=("It was deleted", "A mistyped id", "It belongs to another account"),
    cure=("List what the account has and use an id from there.",),
)
ACCOUNT_UNKNOWN: Final = Entry(
    code="WHF0247",
    status=404,
    oci="NAME_UNKNOWN",
    control="CRG0247E",
    iam="BXNIM0247E",
    message="There is no account '{account}'",
    meaning="No account of this service has this id. Accounts are named by their ids, not names.",
    causes=("A mistyped id", "The account's name in place of its id", "Another data folder"),
    cure=("List the accounts with 'wharfd account list', and use an id from there.",),
)
VALUE_INVALID: Final = Entry(
    code="WHF0221",
    status=400,
    oci="UNSUPPORTED",
    control="CRG0007E",
    iam="BXNIM0109E",
    message="The value of {property} is not allowed: {reason}",
    meaning="A field of the request is outside what it may hold.",
    causes=("A mistyped value", "A value that is too long or empty"),
    cure=("Correct {property} and repeat the call.",),
)
LAST_MANAGER: Final = Entry(
    code="WHF0222",
    status=409,
    oci="DENIED",
    control="CRG0222E",
    iam="BXNIM0222E",
    message="The account would lose its last Manager",
    meaning="An account keeps at least one user with the role Manager, so that somebody can manage it.",
    causes=("The only Manager is being removed, or loses the role",),
    cure=("Give another user the role Manager first.",),
)
LIMIT_REACHED: Final = Entry(
    code="WHF0223",
    status=409,
    oci="DENIED",
    control="CRG0223E",
    iam="BXNIM0223E",
    message="The account has reached its limit of {limit} {kind}",
    meaning="The number of things of each kind in an account is bounded.",
    causes=("Old entries that nobody deleted",),
    cure=("Delete what is no longer used, then repeat the call.",),
)
ALREADY_EXISTS: Final = Entry(
    code="WHF0224",
    status=409,
    oci="DENIED",
    control="CRG0224E",
    iam="BXNIM0224E",
    message="The {kind} exists already",
    meaning="The same thing cannot be created twice in an account.",
    causes=("The call was sent before",),
    cure=("Use the one that stands, or delete it first.",),
)
CLIENT_UNKNOWN: Final = Entry(
    code="WHF0225",
    status=401,
    oci="UNAUTHORIZED",
    control="CRG0014E",
    iam="BXNIM0225E",
    message="The client id and secret in the Authorization header are not accepted",
    meaning="The token exchange takes no client authentication, or the one of the command line.",
    causes=("A client that is configured with a client id of its own",),
    cure=("Leave the client id and secret out of the client's settings.",),
)
FORM_STALE: Final = Entry(
    code="WHF0240",
    status=400,
    oci="UNSUPPORTED",
    control="CRG0007E",
    iam="BXNIM0240E",
    message="The form was not sent from this page, or is too old",
    meaning="A form counts only where the page that it came from set a cookie for it.",
    causes=("The page was open for long", "Cookies are switched off", "Another page sent the form"),
    cure=("Send the form on this page again.",),
)
SIGN_IN_STALE: Final = Entry(
    code="WHF0241",
    status=400,
    oci="UNSUPPORTED",
    control="CRG0007E",
    iam="BXNIM0241E",
    message="This sign-in did not begin in this browser, or took too long",
    meaning="Who comes back from the provider must have left for it from here, minutes before.",
    causes=("The page was open for long", "Cookies are switched off", "A copied address"),
    cure=("Begin again at /identity/passcode.",),
)
EMAIL_UNVERIFIED: Final = Entry(
    code="WHF0242",
    status=403,
    oci="DENIED",
    control="CRG0020E",
    iam="BXNIM0242E",
    message="The provider does not vouch for your e-mail address",
    meaning="Users are known by their e-mail, so the provider must have verified it.",
    causes=("The e-mail is not verified at the provider", "The provider does not tell e-mails"),
    cure=("Verify your e-mail at the provider, or ask the operator to look at its settings.",),
)
PERSON_UNKNOWN: Final = Entry(
    code="WHF0243",
    status=403,
    oci="DENIED",
    control="CRG0020E",
    iam="BXNIM0243E",
    message="Nobody added a user with the e-mail {email}",
    meaning="Signing in adds nobody: a Manager of an account adds users first.",
    causes=("The user was not added yet, or was removed", "Another e-mail at the provider"),
    cure=("Ask a Manager of the account to add you with this e-mail.",),
)
PROVIDER_UNAVAILABLE: Final = Entry(
    code="WHF0244",
    status=502,
    oci="UNAVAILABLE",
    control="CRG0244E",
    iam="BXNIM0244E",
    message="The provider of single sign-on does not answer as it should: {reason}",
    meaning="The service asks the provider where to sign in and who did; it got no usable answer.",
    causes=("The provider is down", "A wrong oidc_issuer", "A network or certificate problem"),
    cure=("Try again; if it stays, tell the operator. A password or API key works meanwhile.",),
)
PROVIDER_REFUSED: Final = Entry(
    code="WHF0245",
    status=403,
    oci="DENIED",
    control="CRG0020E",
    iam="BXNIM0245E",
    message="The provider of single sign-on did not confirm the sign-in: {reason}",
    meaning="The provider refused, or what it sent is not right: signature, audience, time or nonce.",
    causes=("The sign-in was cancelled", "A wrong client id or secret", "Clocks that differ"),
    cure=("Try again; if it stays, tell the operator.",),
)
CURRENT_PASSWORD_WRONG: Final = Entry(
    code="WHF0246",
    status=403,
    oci="DENIED",
    control="CRG0020E",
    iam="BXNIM0246E",
    message="The current password is not right",
    meaning="A password is changed by its user, who shows it by telling the one that counts.",
    causes=(
        "A mistyped password",
        "It was changed meanwhile",
        "The caller is a service id, or a user without a password",
    ),
    cure=(
        "Try again with the password that signs you in.",
        "Forgotten, or never had: the operator sets one with wharfd user password.",
    ),
)
