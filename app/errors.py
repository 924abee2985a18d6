"""Everything that this project refuses or cannot do, as exceptions; how HTTP says it is the API's business.

* CreditError
  x SettingInvalid       a setting has a value that cannot be used
    + PolicyInvalid      the policy file cannot be used
    + ContractInvalid    the contract file cannot be used
    + CallersInvalid     the callers' file cannot be used
  x DataInvalid          a table of applicants is not what its columns promise
  x ModelError
    + ModelUnavailable   the registry or its artifacts cannot be reached
      - ModelMissing     the registry answers, and knows no such model, version or alias
      - ModelForbidden   the registry refuses the credentials, or wants some
    + ModelRefused       the model is there and must not be served: untrusted types, wrong shape, failed proof
    + NotCompilable      the model has no compiled form; it can still be served through predict_proba
  x ActRefused           somebody may not do alone what they asked for
  x RecordError
    + RecordInvalid      a line of the record is not what was written
    + RecordUnavailable  the database cannot be reached or does not answer
    + CursorInvalid      a search is to go on from where none was
    + JournalFailed      a decision cannot be kept: the disk is full, or the journal has reached its limit
"""


class CreditError(Exception):
    """The root; its text is fit for an operator to read."""


class SettingInvalid(CreditError):
    """Names the setting, its value and what is allowed."""


class PolicyInvalid(SettingInvalid):
    """Names each place in the policy file and what is wrong there."""


class ContractInvalid(SettingInvalid):
    """Names each place in the contract file and what is wrong there."""


class CallersInvalid(SettingInvalid):
    """Names each place in the callers' file and what to do there; never what stands there, which may be a key."""


class DataInvalid(CreditError):
    """Names the column and the lines."""


class ModelError(CreditError):
    """Something about a model."""


class ModelUnavailable(ModelError):
    """Worth trying again later."""


class ModelMissing(ModelUnavailable):
    """The registry is up."""


class ModelForbidden(ModelUnavailable):
    """Somebody has to mend the credentials first."""


class ModelRefused(ModelError):
    """Trying again gives the same answer."""


class NotCompilable(ModelError):
    """Says which part has no compiled form."""


class ActRefused(CreditError):
    """Says who else is needed."""


class RecordError(CreditError):
    """Something about the record of decisions."""


class RecordInvalid(RecordError):
    """Says what does not fit; never what the line holds."""


class RecordUnavailable(RecordError):
    """Worth trying again later."""


class ReviewRefused(CreditError):
    """Somebody else was first."""


class SignInFailed(CreditError):
    """Somebody is not who they say, or their provider does not say so."""


class LetterInvalid(CreditError):
    """Says what is wrong with a template, or why there is no letter."""


class OutcomesInvalid(CreditError):
    """Names the lines that are wrong and how."""


class CursorInvalid(RecordError):
    """The remedy is to begin the search anew."""


class JournalFailed(RecordError):
    """Says what to do about the disk or the limit."""
