#include "broker/transport/error_texts.h"

#include <string>

#include "schakel/v1/error_reason.pb.h"

namespace schakel::transport {
namespace {

constexpr std::string_view kPrefix = "ERROR_REASON_";

std::string_view TextOf(v1::ErrorReason reason) {
  switch (reason) {
    // ---- The call ----
    case v1::ERROR_REASON_FIELD_INVALID:
      return "Een veld is niet goed ingevuld of past niet bij de andere velden.";
    case v1::ERROR_REASON_FIELD_MISSING:
      return "Een verplicht veld ontbreekt.";
    case v1::ERROR_REASON_TOO_LARGE:
      return "Een veld, lijst of bericht is groter dan toegestaan.";
    case v1::ERROR_REASON_ACTOR_MISSING:
      return "Er is niet opgegeven welke medewerker dit doet, of de opgave is te lang.";
    case v1::ERROR_REASON_CERTIFICATE_UNKNOWN:
      return "Dit certificaat hoort niet bij een toegelaten organisatie. Vraag de registrator om "
             "uw organisatie met dit certificaat toe te laten.";
    case v1::ERROR_REASON_CERTIFICATE_REVOKED:
      return "Dit certificaat is ingetrokken. Gebruik een geldig certificaat.";
    case v1::ERROR_REASON_CERTIFICATE_EXPIRED:
      return "Dit certificaat is nu niet geldig. Gebruik een geldig certificaat.";
    case v1::ERROR_REASON_REVOCATION_UNKNOWN:
      return "Er is nu niet vast te stellen of het certificaat is ingetrokken; daarom is er geen "
             "toegang. De beheerder moet de intrekkingslijst verversen.";
    case v1::ERROR_REASON_ORGANISATION_DISABLED:
      return "Deze organisatie is geblokkeerd. Neem contact op met de registrator.";
    case v1::ERROR_REASON_ROLE_NOT_ALLOWED:
      return "De rol van uw organisatie mag dit niet.";
    case v1::ERROR_REASON_RATE_LIMITED:
      return "Uw organisatie vraagt nu te veel tegelijk. Probeer het zo weer.";
    case v1::ERROR_REASON_QUEUE_FULL:
      return "Het is te druk. Probeer het zo weer.";
    case v1::ERROR_REASON_STORAGE_LOW:
      return "De opslag is bijna vol: alleen intrekkingen en afhandelingen worden nog aangenomen.";
    case v1::ERROR_REASON_NOT_SERVING:
      return "De dienst is nu niet beschikbaar. Probeer het zo weer.";
    case v1::ERROR_REASON_CLOCK_DOUBTFUL:
      return "De klok van de dienst is niet betrouwbaar. De beheerder moet dit eerst oplossen.";
    case v1::ERROR_REASON_RESTORED:
      return "De dienst draait op een teruggezette kopie: alleen het logboek is nu te controleren.";
    case v1::ERROR_REASON_STALE_VERSION:
      return "De gegevens zijn intussen veranderd. Probeer het opnieuw.";
    case v1::ERROR_REASON_INTERNAL:
      return "Er ging iets mis in de dienst. De beheerder kan het met het kenmerk terugvinden.";
    case v1::ERROR_REASON_NOT_FOUND:
      return "Niet gevonden, of niet voor uw organisatie zichtbaar.";
    case v1::ERROR_REASON_ALREADY_EXISTS:
      return "Dit kenmerk is al gebruikt voor een andere inhoud.";
    case v1::ERROR_REASON_PAGE_TOKEN_INVALID:
      return "De verwijzing naar de volgende bladzijde klopt niet. Begin opnieuw bij de eerste.";
    case v1::ERROR_REASON_METHOD_UNKNOWN:
      return "Deze dienst kent die opdracht niet.";
    case v1::ERROR_REASON_CANCELLED:
      return "De opdracht is afgebroken of duurde te lang.";
    case v1::ERROR_REASON_POSITION_NOT_REACHED:
      return "De gevraagde stand van het logboek was niet op tijd bereikt. Probeer het zo weer.";

    // ---- Envelopes and signed bytes ----
    case v1::ERROR_REASON_SIGNATURE_INVALID:
      return "De handtekening klopt niet.";
    case v1::ERROR_REASON_KEY_SET_UNKNOWN:
      return "De sleutelset van de afzender is onbekend, niet geldig of vervangen.";
    case v1::ERROR_REASON_VALUES_INVALID:
      return "De ondertekende waarden horen niet bij deze envelop.";
    case v1::ERROR_REASON_REGION_WRONG:
      return "Dit signaal is voor een andere regio gemaakt.";
    case v1::ERROR_REASON_CREATED_IN_FUTURE:
      return "Het tijdstip van opstellen ligt in de toekomst. Controleer de klok van uw systeem.";
    case v1::ERROR_REASON_CREATED_TOO_OLD:
      return "Het signaal is meer dan 24 uur geleden opgesteld. Stel het opnieuw op.";
    case v1::ERROR_REASON_EXPIRY_OUT_OF_RANGE:
      return "Het tijdstip van vervallen ligt in het verleden of te ver weg.";
    case v1::ERROR_REASON_SENDER_MISMATCH:
      return "De afzender in het bericht is niet de organisatie die het verstuurt.";
    case v1::ERROR_REASON_ACTOR_MISMATCH:
      return "De medewerker in het bericht is niet degene die het verstuurt.";
    case v1::ERROR_REASON_SUBJECT_REF_INVALID:
      return "Het pseudoniem van de betrokkene heeft niet de juiste vorm of sleutelperiode.";

    // ---- Why a recipient gets nothing, independent of the subject ----
    case v1::ERROR_REASON_NO_RULE:
      return "Geen regel van het beleid staat dit toe.";
    case v1::ERROR_REASON_FORBIDDEN_BY_RULE:
      return "Een regel van het beleid verbiedt dit.";
    case v1::ERROR_REASON_GROUND_NOT_APPLICABLE:
      return "De opgegeven grondslag geldt niet voor deze sector, dit signaal, dit doel of dit "
             "onderdeel.";
    case v1::ERROR_REASON_CONDITION_NOT_ATTESTED:
      return "Een voorwaarde van de grondslag is niet bevestigd.";
    case v1::ERROR_REASON_RECIPIENT_UNAVAILABLE:
      return "De ontvanger is niet aangesloten, geblokkeerd of heeft geen geldige sleutels.";
    case v1::ERROR_REASON_FUNCTION_UNRESOLVED:
      return "Voor deze functie in dit gebied staat geen organisatie in het beleid, of intussen "
             "een "
             "andere.";
    case v1::ERROR_REASON_UNKNOWN_CODE:
      return "Het geldende beleid kent een gebruikte code niet.";
    case v1::ERROR_REASON_UNLINKED_SUBJECT:
      return "Dit kan alleen voor een betrokkene met een pseudoniem.";
    case v1::ERROR_REASON_BSN_AUTHORITY_MISSING:
      return "Afzender of ontvanger mag het burgerservicenummer niet gebruiken.";
    case v1::ERROR_REASON_IDENTITY_ALONE:
      return "Persoonsgegevens gaan alleen mee met een ander toegestaan onderdeel over dezelfde "
             "betrokkene.";
    case v1::ERROR_REASON_RESEAL_NEEDED:
      return "De ontvanger kan dit niet openen. Verzegel het opnieuw met de huidige sleutels.";
    case v1::ERROR_REASON_WRAP_UNEXPECTED:
      return "Er is een sleutel verpakt voor een organisatie die geen ontvanger is.";
    case v1::ERROR_REASON_INBOX_FULL:
      return "De postbus van de ontvanger is vol.";

    // ---- Dependent on the subject ----
    case v1::ERROR_REASON_NOT_PERMITTED:
      return "Niet toegestaan. De reden staat in het logboek.";
    case v1::ERROR_REASON_NO_CONSENT:
      return "Er is geen toestemming die dit dekt.";
    case v1::ERROR_REASON_CONSENT_EXPIRED:
      return "De toestemming is verlopen.";
    case v1::ERROR_REASON_CONSENT_WITHDRAWN:
      return "De toestemming is ingetrokken.";
    case v1::ERROR_REASON_OBJECTION:
      return "De betrokkene heeft bezwaar gemaakt.";
    case v1::ERROR_REASON_OBJECTION_REVIEW:
      return "De betrokkene heeft bezwaar gemaakt en dat is nog niet afgewogen.";
    case v1::ERROR_REASON_SHIELDED:
      return "De gegevens van de betrokkene zijn afgeschermd.";

    // ---- Inbox ----
    case v1::ERROR_REASON_DELIVERY_UNKNOWN:
      return "Deze bezorging is niet, of niet meer, aan uw organisatie om af te handelen.";
    case v1::ERROR_REASON_DELIVERY_SETTLED:
      return "Dit bericht is al anders afgehandeld.";
    case v1::ERROR_REASON_LEASE_LOST:
      return "De tijd om dit af te handelen is om; het bericht wordt opnieuw bezorgd.";
    case v1::ERROR_REASON_READER_STALLED:
      return "Uw systeem nam 30 seconden lang niets aan; de verbinding is gesloten.";
    case v1::ERROR_REASON_REMINDED_ALREADY:
      return "Aan dit signaal is in de laatste 24 uur al herinnerd.";
    case v1::ERROR_REASON_NOT_ACKNOWLEDGED:
      return "Bevestig dit bericht eerst: daarna kunt u melden wat ervan kwam.";
    case v1::ERROR_REASON_OUTCOME_NOT_APPLICABLE:
      return "Deze uitkomst bestaat niet voor dit soort bericht.";
    case v1::ERROR_REASON_TOO_MANY_REPORTS:
      return "Van dit signaal is al zo vaak een uitkomst gemeld als kan.";
    case v1::ERROR_REASON_SUBJECT_MISMATCH:
      return "De inhoud hoort niet bij de opgegeven betrokkene.";

    // ---- Consent ----
    case v1::ERROR_REASON_NOT_RECORDER:
      return "Alleen de organisatie die de verklaring vastlegde, kan haar intrekken.";
    case v1::ERROR_REASON_ALREADY_WITHDRAWN:
      return "Deze verklaring is al ingetrokken.";
    case v1::ERROR_REASON_TOO_MANY_STATEMENTS:
      return "Over deze betrokkene zijn te veel verklaringen vastgelegd.";

    // ---- Directory, policy ----
    case v1::ERROR_REASON_KEY_SET_INVALID:
      return "De sleutelset klopt niet: versie, certificaten, geldigheid of handtekening.";
    case v1::ERROR_REASON_CERTIFICATE_INVALID:
      return "Het certificaat is niet bruikbaar voor deelname.";
    case v1::ERROR_REASON_BUNDLE_INVALID:
      return "Het beleid bevat een fout.";
    case v1::ERROR_REASON_BUNDLE_DIGEST_MISMATCH:
      return "Het beleid is niet het beleid dat was aangekondigd.";

    // ---- Custodian ----
    case v1::ERROR_REASON_NO_AUTHORITY:
      return "Uw organisatie mag geen pseudoniemen berekenen.";
    case v1::ERROR_REASON_BUDGET_EXHAUSTED:
      return "Het aantal pseudoniemen dat uw organisatie mag berekenen is op.";
    case v1::ERROR_REASON_EPOCH_UNKNOWN:
      return "Deze sleutelbewaarder kent die sleutelperiode niet.";
    case v1::ERROR_REASON_ELEMENT_INVALID:
      return "Een aangeboden waarde is geen geldig element.";

    case v1::ERROR_REASON_UNSPECIFIED:
    default:
      return {};
  }
}

v1::ErrorReason ReasonNamed(std::string_view reason) {
  v1::ErrorReason parsed = v1::ERROR_REASON_UNSPECIFIED;
  v1::ErrorReason_Parse(std::string(kPrefix) + std::string(reason), &parsed);
  return parsed;
}

}  // namespace

std::string_view DutchText(std::string_view reason) { return TextOf(ReasonNamed(reason)); }

bool IsKnownReason(std::string_view reason) {
  return ReasonNamed(reason) != v1::ERROR_REASON_UNSPECIFIED;
}

}  // namespace schakel::transport
