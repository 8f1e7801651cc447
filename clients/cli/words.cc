#include "clients/cli/words.h"

#include <algorithm>
#include <cctype>

namespace schakel::cli {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;

// Values of enums by their full name, and reasons of error_reason.proto without their prefix.
const std::vector<WordTexts> kWords = {
    {"RECIPIENT_STATE_DENIED", "denied", "geweigerd"},
    {"RECIPIENT_STATE_QUEUED", "waiting", "wacht"},
    {"RECIPIENT_STATE_DELIVERED", "delivered", "afgeleverd"},
    {"RECIPIENT_STATE_ACKNOWLEDGED", "acknowledged", "bevestigd"},
    {"RECIPIENT_STATE_REFUSED", "refused", "teruggestuurd"},
    {"RECIPIENT_STATE_EXPIRED", "expired", "verlopen"},
    {"RECIPIENT_STATE_WITHHELD", "withheld", "tegengehouden"},
    {"RECIPIENT_STATE_DEAD_LETTER", "undeliverable", "onbestelbaar"},
    {"RECIPIENT_STATE_RESEAL_NEEDED", "seal again", "opnieuw verzegelen"},
    {"ROLE_PARTNER", "partner", "partner"},
    {"ROLE_CHAIN_DIRECTOR", "chain director", "ketenregisseur"},
    {"ROLE_AUDITOR", "auditor", "toezichthouder"},
    {"ROLE_REGISTRAR", "registrar", "registerhouder"},
    {"URGENCY_NORMAL", "normal", "normaal"},
    {"URGENCY_ACUTE", "acute", "spoed"},
    {"OUTCOME_UNSPECIFIED", "", ""},
    {"OUTCOME_PERMITTED", "permitted", "toegestaan"},
    {"OUTCOME_DENIED", "denied", "geweigerd"},
    {"STATEMENT_KIND_CONSENT", "consent", "toestemming"},
    {"STATEMENT_KIND_OBJECTION", "objection", "bezwaar"},
    {"STATEMENT_STANDING_NOT_YET", "not yet in force", "nog niet van kracht"},
    {"STATEMENT_STANDING_IN_FORCE", "in force", "van kracht"},
    {"STATEMENT_STANDING_EXPIRED", "expired", "verlopen"},
    {"STATEMENT_STANDING_WITHDRAWN", "withdrawn", "ingetrokken"},
    {"GRANTOR_SUBJECT", "the person", "de betrokkene"},
    {"GRANTOR_PARENT", "a parent", "een ouder"},
    {"GRANTOR_LEGAL_REPRESENTATIVE", "a guardian, curator or mentor",
     "een voogd, curator of mentor"},
    {"GRANTOR_AUTHORISED_REPRESENTATIVE", "somebody authorised in writing",
     "een schriftelijk gemachtigde"},
    {"IDENTITY_CHECK_DOCUMENT", "identity document", "identiteitsbewijs"},
    {"IDENTITY_CHECK_ELECTRONIC", "electronic identification", "elektronisch middel"},
    {"IDENTITY_CHECK_KNOWN_IN_PERSON", "known in person", "persoonlijk bekend"},
    {"NOTICE_KIND_CONSENT_WITHDRAWN", "consent withdrawn", "toestemming ingetrokken"},
    {"NOTICE_KIND_REMINDER", "reminder", "herinnering"},
    {"FLOW_MEASURE_SENT", "Sent", "Verstuurd"},
    {"FLOW_MEASURE_WAITING", "Waiting at the end", "Wachtend aan het eind"},
    {"FLOW_MEASURE_WAITING_LONG", "Waiting for over a week", "Langer dan een week wachtend"},
    {"FLOW_MEASURE_STALLED", "Stalled: waiting beyond the term",
     "Vastgelopen: wachtend na de termijn"},
    {"FLOW_MEASURE_REFUSED", "Refused by a recipient", "Teruggestuurd door een ontvanger"},
    {"FLOW_PERIOD_KIND_WEEK", "week", "week"},
    {"FLOW_PERIOD_KIND_MONTH", "month", "maand"},
    {"FLOW_PERIOD_KIND_QUARTER", "quarter", "kwartaal"},
    {"FLOW_BAND_FEWER_THAN_10", "fewer than 10", "minder dan 10"},
    {"FLOW_BAND_FROM_10", "10 to 49", "10 tot en met 49"},
    {"FLOW_BAND_FROM_50", "50 to 199", "50 tot en met 199"},
    {"FLOW_BAND_FROM_200", "200 to 999", "200 tot en met 999"},
    {"FLOW_BAND_FROM_1000", "1000 or more", "1000 of meer"},
    {"OUTBOX_STATE_PREPARED", "to be sent", "te verzenden"},
    {"OUTBOX_STATE_ANSWERED", "answered", "beantwoord"},
    {"OUTBOX_STATE_FAILED", "failed", "mislukt"},
    {"RECORD_KIND_GENESIS", "start of the log", "begin van het logboek"},
    {"RECORD_KIND_PUBLISH", "signal sent", "signaal verzonden"},
    {"RECORD_KIND_DELIVERY", "delivery", "aflevering"},
    {"RECORD_KIND_DELIVERY_CANCELLED", "delivery stopped", "aflevering gestopt"},
    {"RECORD_KIND_ACKNOWLEDGEMENT", "acknowledgement", "bevestiging"},
    {"RECORD_KIND_REFUSAL", "refusal", "teruggestuurd"},
    {"RECORD_KIND_EXPIRY", "expiry", "verlopen"},
    {"RECORD_KIND_STATEMENT", "statement", "verklaring"},
    {"RECORD_KIND_WITHDRAWAL", "withdrawal", "intrekking"},
    {"RECORD_KIND_DIRECTORY", "directory change", "wijziging register"},
    {"RECORD_KIND_KEY_SET", "key set", "sleutelset"},
    {"RECORD_KIND_POLICY_ACTIVATION", "policy activated", "beleid in werking"},
    {"RECORD_KIND_SWEEP", "clean-up", "opruiming"},
    {"RECORD_KIND_MODE_CHANGE", "operator's act", "beheerhandeling"},
    {"RECORD_KIND_NOTICE", "notice", "kennisgeving"},
    {"RECORD_KIND_QUERY", "audit query", "inzage logboek"},
    {"RECORD_KIND_CONSULTATION", "consultation", "raadpleging"},
    {"RECORD_KIND_DENIED_ATTEMPT", "denied attempt", "geweigerde poging"},
    {"RECORD_KIND_SUBJECT_ATTACHED", "subject attached", "betrokkene gekoppeld"},
    {"RECORD_KIND_RELEASE", "lease given back", "lease teruggegeven"},
    {"RECORD_KIND_EXTENSION", "lease extended", "lease verlengd"},
    {"RECORD_KIND_WITHHELD", "withheld", "tegengehouden"},
    {"RECORD_KIND_EVALUATION", "pseudonyms computed", "pseudoniemen berekend"},
    {"RECORD_KIND_MEMBERS", "members file read", "deelnemerslijst gelezen"},
    {"RECORD_KIND_START", "custodian started", "sleutelbewaarder gestart"},
    {"RECORD_KIND_REMINDER", "reminder", "herinnering"},
    {"RECORD_KIND_OUTCOME_REPORT", "outcome reported", "uitkomst gemeld"},
    {"NO_RULE", "no rule permits it", "geen regel staat het toe"},
    {"FORBIDDEN_BY_RULE", "a rule forbids it", "een regel verbiedt het"},
    {"GROUND_NOT_APPLICABLE", "the ground does not hold here", "de grondslag geldt hier niet"},
    {"CONDITION_NOT_ATTESTED", "a condition is not attested", "een voorwaarde is niet verklaard"},
    {"RECIPIENT_UNAVAILABLE", "not admitted, or without keys",
     "niet aangesloten of zonder sleutels"},
    {"FUNCTION_UNRESOLVED", "nobody fulfils the function", "niemand vervult de functie"},
    {"UNKNOWN_CODE", "a code that the policy does not know", "een code die het beleid niet kent"},
    {"UNLINKED_SUBJECT", "needs a linked subject", "vraagt een gekoppelde betrokkene"},
    {"BSN_AUTHORITY_MISSING", "no authority for the BSN", "geen BSN-bevoegdheid"},
    {"IDENTITY_ALONE", "identity without another section", "identiteit zonder ander onderdeel"},
    {"RESEAL_NEEDED", "must be sealed again", "moet opnieuw verzegeld worden"},
    {"WRAP_UNEXPECTED", "sealed for a stranger", "verzegeld voor een buitenstaander"},
    {"INBOX_FULL", "the inbox is full", "het postvak is vol"},
    {"NOT_PERMITTED", "not permitted for this person", "niet toegestaan voor deze betrokkene"},
    {"NO_CONSENT", "no consent covers it", "geen toestemming"},
    {"CONSENT_EXPIRED", "the consent ended", "de toestemming is verlopen"},
    {"CONSENT_WITHDRAWN", "the consent was withdrawn", "de toestemming is ingetrokken"},
    {"OBJECTION", "an objection stands", "er staat een bezwaar"},
    {"OBJECTION_REVIEW", "an objection was not weighed", "een bezwaar is niet afgewogen"},
    {"SHIELDED", "the person is shielded", "de betrokkene is afgeschermd"},
    {"CONTEXT_INCOMPLETE", "the context lacks something", "de context mist iets"},
    {"CONFIG_INVALID", "a setting is wrong", "een instelling klopt niet"},
    {"FILE_MISSING", "a file is missing", "een bestand ontbreekt"},
    {"FILE_FAILED", "a file can't be used", "een bestand is niet te gebruiken"},
    {"FOLDER_OPEN", "others may enter the folder", "anderen kunnen in de map"},
    {"KEY_FILE_OPEN", "others may read the key", "anderen kunnen de sleutel lezen"},
    {"KEY_SET_MISSING", "no key set", "geen sleutelset"},
    {"KEY_SET_INCOMPLETE", "a key set lacks its signature",
     "een sleutelset mist zijn handtekening"},
    {"KEY_REUSED", "the key was used for other input", "de referentie hoort bij andere invoer"},
    {"CONTENT_INVALID", "content does not meet its schema", "inhoud voldoet niet aan het schema"},
    {"EXPIRY_OUT_OF_RANGE", "the expiry is out of range", "de geldigheidsduur mag zo niet"},
    {"OPEN_FAILED", "the delivery can't be opened", "de aflevering gaat niet open"},
    {"NOT_SERVING", "can't be reached", "niet bereikbaar"},
    {"DEADLINE_EXCEEDED", "no answer in time", "geen antwoord op tijd"},
    {"REQUEST_INVALID", "no usable request for admission", "geen bruikbare aanvraag tot toelating"},
    {"SIGNATURE_INVALID", "a signature is wrong", "een handtekening klopt niet"},
    {"KEY_SET_INVALID", "a key set is refused", "een sleutelset is afgekeurd"},
    {"CERTIFICATE_INVALID", "a certificate is refused", "een certificaat is afgekeurd"},
    {"CERTIFICATE_REVOKED", "a certificate was revoked", "een certificaat is ingetrokken"},
    {"REVOCATION_UNKNOWN", "no current revocation list", "geen actuele intrekkingslijst"},
    {"REMINDED_ALREADY", "reminded in the last 24 hours", "in de laatste 24 uur al herinnerd"},
    {"NOT_ACKNOWLEDGED", "not acknowledged yet", "nog niet bevestigd"},
    {"OUTCOME_NOT_APPLICABLE", "not an outcome of this type of signal",
     "geen uitkomst van dit soort signaal"},
    {"TOO_MANY_REPORTS", "too many outcomes reported", "te vaak een uitkomst gemeld"},
    {"SUBJECT_MISMATCH", "content and person do not belong together",
     "inhoud en betrokkene horen niet bij elkaar"},
};

const WordTexts* Find(std::string_view name) {
  const auto found = std::find_if(kWords.begin(), kWords.end(),
                                  [&](const WordTexts& word) { return word.name == name; });
  return found == kWords.end() ? nullptr : &*found;
}

std::string In(Language language, const WordTexts& word) {
  return language == Language::kDutch ? word.nl : word.en;
}

// RECIPIENT_STATE_ of RecipientState: what its zero value's name begins with.
std::string_view PrefixOf(const EnumDescriptor* type) {
  std::string_view zero = type->value(0)->name();
  constexpr std::string_view kEnd = "UNSPECIFIED";
  if (zero.ends_with(kEnd)) zero.remove_suffix(kEnd.size());
  return zero;
}

}  // namespace

const std::vector<WordTexts>& AllWords() { return kWords; }

std::string WordOf(Language language, const EnumValueDescriptor* value) {
  if (value == nullptr) return "?";
  if (const auto* word = Find(value->name())) return In(language, *word);
  return CodeOfValue(value);
}

std::string ReasonWord(Language language, const std::string& reason) {
  const auto* word = reason.empty() ? nullptr : Find(reason);
  return word == nullptr ? reason : In(language, *word);
}

Cell StateCell(Language language, v1::RecipientState state) {
  Colour colour = Colour::kNone;
  switch (state) {
    case v1::RECIPIENT_STATE_ACKNOWLEDGED:
    case v1::RECIPIENT_STATE_DELIVERED:
      colour = Colour::kGood;
      break;
    case v1::RECIPIENT_STATE_DENIED:
    case v1::RECIPIENT_STATE_REFUSED:
    case v1::RECIPIENT_STATE_EXPIRED:
    case v1::RECIPIENT_STATE_WITHHELD:
    case v1::RECIPIENT_STATE_DEAD_LETTER:
    case v1::RECIPIENT_STATE_RESEAL_NEEDED:
      colour = Colour::kBad;
      break;
    default:
      break;
  }
  return {Word(language, state), colour};
}

std::string CodeOfValue(const EnumValueDescriptor* value) {
  std::string_view name = value->name();
  const std::string_view prefix = PrefixOf(value->type());
  if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  std::string code;
  for (const char c : name) {
    code += c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return code;
}

const EnumValueDescriptor* ValueOfCode(const EnumDescriptor* type, std::string_view code) {
  for (int i = 1; i < type->value_count(); ++i) {
    if (CodeOfValue(type->value(i)) == code) return type->value(i);
  }
  return nullptr;
}

std::vector<std::string> CodeListOf(const EnumDescriptor* type) {
  std::vector<std::string> codes;
  for (int i = 1; i < type->value_count(); ++i) codes.push_back(CodeOfValue(type->value(i)));
  return codes;
}

std::string CodesOf(const EnumDescriptor* type) {
  std::string joined;
  for (const auto& code : CodeListOf(type)) joined += (joined.empty() ? "" : ", ") + code;
  return joined;
}

}  // namespace schakel::cli
