#include "policy/engine/retention.h"

#include <algorithm>
#include <set>

#include "broker/base/limits.h"
#include "policy/engine/duration.h"
#include "policy/engine/tables.h"

namespace schakel::policy {
namespace {

using Kinds = google::protobuf::RepeatedPtrField<v1::BundleRecordRetention>;

constexpr const char* kDefault = "default";

const v1::BundleRecordRetention* Find(const Kinds& kinds, const std::string& code) {
  for (const auto& kind : kinds) {
    if (kind.kind() == code) return &kind;
  }
  return nullptr;
}

Term TermOf(const v1::BundleRecordRetention& kind, const char* list) {
  return {ToMillis(kind.keep()), std::string("retention.") + list + "." + kind.kind()};
}

// What the bundle says of a kind of record, or of all others.
Term KindTerm(const v1::BundleRetention& retention, const std::string& code) {
  const auto* named = Find(retention.records(), code);
  if (named == nullptr) named = Find(retention.records(), kDefault);
  return named == nullptr ? Term{} : TermOf(*named, "records");
}

// The longest first.
std::set<Millis, std::greater<>> TermsOf(const Bundle& bundle) {
  const v1::BundleRetention& retention = bundle.manifest.retention();
  std::set<Millis, std::greater<>> terms;
  for (const auto& kind : retention.records()) terms.insert(ToMillis(kind.keep()));
  for (const auto& kind : retention.details()) terms.insert(ToMillis(kind.keep()));
  for (const auto& type : bundle.signal_types.signal_types()) {
    terms.insert(ToMillis(type.retention()));
  }
  return terms;
}

// Kinds that a broker's log can hold, by code. Those of a custodian's log are no bundle's business.
const std::set<std::string>& KnownKinds() {
  static const std::set<std::string> kinds = [] {
    std::set<std::string> all;
    const auto* type = v1::RecordKind_descriptor();
    for (int i = 0; i < type->value_count(); ++i) {
      const auto kind = static_cast<v1::RecordKind>(type->value(i)->number());
      if (kind == v1::RECORD_KIND_UNSPECIFIED || kind == v1::RECORD_KIND_EVALUATION ||
          kind == v1::RECORD_KIND_MEMBERS || kind == v1::RECORD_KIND_START) {
        continue;
      }
      all.insert(RecordKindCode(kind));
    }
    return all;
  }();
  return kinds;
}

void CheckKinds(const Kinds& kinds, const std::string& list, Problems* problems) {
  std::set<std::string> seen;
  for (const auto& kind : kinds) {
    const std::string key = list + "." + kind.kind();
    const uint32_t line = std::max(kind.source_line(), 1u);
    if (!seen.insert(kind.kind()).second) {
      problems->Invalid(kManifestFile, line, "key '" + key + "' stands here twice");
    }
    if (kind.kind() == kDefault) continue;
    if (!KnownKinds().contains(kind.kind())) {
      problems->Unknown(kManifestFile, line, "kind of record in " + list, kind.kind());
      continue;
    }
    for (const auto stays :
         {v1::RECORD_KIND_GENESIS, v1::RECORD_KIND_MODE_CHANGE, v1::RECORD_KIND_SWEEP}) {
      if (RecordKindCode(stays) != kind.kind()) continue;
      problems->Invalid(kManifestFile, line,
                        "key '" + key +
                            "': expected no term; records of this kind name nobody and "
                            "stay for good");
    }
  }
}

// A detail can't outlive the record that commits to it.
void CheckDetails(const v1::BundleRetention& retention, Problems* problems) {
  for (const auto& detail : retention.details()) {
    const Term record = KindTerm(retention, detail.kind());
    if (ToMillis(detail.keep()) <= record.keep) continue;
    problems->Invalid(kManifestFile, std::max(detail.source_line(), 1u),
                      "key 'retention.details." + detail.kind() + "': expected at most the " +
                          std::to_string(record.keep / std::chrono::hours(24)) + " days of '" +
                          record.rule + "': a detail goes with its record");
  }
}

// Records and status of a signal stay until it has ended.
void CheckTypes(const Bundle& bundle, Problems* problems) {
  const auto* publish = Find(bundle.manifest.retention().records(), "publish");
  for (const auto& type : bundle.signal_types.signal_types()) {
    const Millis longest = ToMillis(type.expires_max());
    if (ToMillis(type.retention()) < longest) {
      problems->Invalid(kSignalTypesFile, type.source_line(),
                        "key 'retention' of '" + type.code() +
                            "': expected at least its expires_max: else its records go before it "
                            "has ended");
    }
    if (publish != nullptr && ToMillis(publish->keep()) < longest) {
      problems->Invalid(kManifestFile, std::max(publish->source_line(), 1u),
                        "key 'retention.records.publish': expected at least the expires_max of "
                        "signal type '" +
                            type.code() + "': else its records go before it has ended");
    }
  }
}

}  // namespace

std::string RecordKindCode(v1::RecordKind kind) {
  std::string name = v1::RecordKind_Name(kind).substr(sizeof("RECORD_KIND_") - 1);
  for (char& c : name) c = c == '_' ? '-' : static_cast<char>(c - 'A' + 'a');
  return name;
}

bool StaysForGood(v1::RecordKind kind) {
  return kind == v1::RECORD_KIND_GENESIS || kind == v1::RECORD_KIND_MODE_CHANGE ||
         kind == v1::RECORD_KIND_SWEEP;
}

std::optional<Term> RecordTerm(const CompiledBundle& bundle, v1::RecordKind kind,
                               const std::string& signal_type) {
  if (StaysForGood(kind)) return std::nullopt;
  const v1::BundleRetention& retention = bundle.source().manifest.retention();
  const std::string code = RecordKindCode(kind);
  const auto* type = signal_type.empty() ? nullptr : bundle.FindSignalType(signal_type);
  if (type == nullptr) return KindTerm(retention, code);
  Term term{ToMillis(type->retention()), "signal-types." + signal_type + ".retention"};
  const auto* named = Find(retention.records(), code);
  if (named != nullptr && ToMillis(named->keep()) < term.keep) return TermOf(*named, "records");
  return term;
}

std::optional<Term> DetailTerm(const CompiledBundle& bundle, v1::RecordKind kind) {
  if (StaysForGood(kind)) return std::nullopt;
  const v1::BundleRetention& retention = bundle.source().manifest.retention();
  const auto* named = Find(retention.details(), RecordKindCode(kind));
  if (named == nullptr) named = Find(retention.details(), kDefault);
  if (named == nullptr) return std::nullopt;
  return TermOf(*named, "details");
}

Term SignalTerm(const CompiledBundle& bundle, const std::string& signal_type) {
  const auto* type = bundle.FindSignalType(signal_type);
  if (type == nullptr) return KindTerm(bundle.source().manifest.retention(), "publish");
  return {ToMillis(type->retention()), "signal-types." + signal_type + ".retention"};
}

Millis ShortestSignalTerm(const CompiledBundle& bundle) {
  Millis shortest = SignalTerm(bundle, "").keep;
  for (const auto& type : bundle.source().signal_types.signal_types()) {
    shortest = std::min(shortest, ToMillis(type.retention()));
  }
  return shortest;
}

Term ShortestPersonTerm(const CompiledBundle& bundle) {
  std::optional<Term> shortest;
  const auto take = [&](const std::optional<Term>& term) {
    if (term && (!shortest || term->keep < shortest->keep)) shortest = term;
  };
  const auto* kinds = v1::RecordKind_descriptor();
  for (int i = 0; i < kinds->value_count(); ++i) {
    const auto kind = static_cast<v1::RecordKind>(kinds->value(i)->number());
    // Their details name no person.
    if (!KnownKinds().contains(RecordKindCode(kind)) || kind == v1::RECORD_KIND_DENIED_ATTEMPT ||
        kind == v1::RECORD_KIND_DIRECTORY || kind == v1::RECORD_KIND_KEY_SET ||
        kind == v1::RECORD_KIND_POLICY_ACTIVATION) {
      continue;
    }
    take(RecordTerm(bundle, kind, ""));
    take(DetailTerm(bundle, kind));
  }
  for (const auto& type : bundle.source().signal_types.signal_types()) {
    take(RecordTerm(bundle, v1::RECORD_KIND_PUBLISH, type.code()));
  }
  return shortest.value_or(Term{});
}

Term StatementTerm(const CompiledBundle& bundle) {
  return {ToMillis(bundle.source().manifest.retention().statements()), "retention.statements"};
}

std::vector<Millis> RecordTerms(const CompiledBundle& bundle) {
  const auto terms = TermsOf(bundle.source());
  return {terms.begin(), terms.end()};
}

std::string TermsText(const CompiledBundle& bundle) {
  const v1::BundleRetention& retention = bundle.source().manifest.retention();
  std::string text;
  const auto add = [&text](const std::string& key, const google::protobuf::Duration& keep) {
    text += key + "=" + std::to_string(ToMillis(keep).count()) + "\n";
  };
  add("statements", retention.statements());
  for (const auto& kind : retention.records()) add("records." + kind.kind(), kind.keep());
  for (const auto& kind : retention.details()) add("details." + kind.kind(), kind.keep());
  for (const auto& type : bundle.source().signal_types.signal_types()) {
    add("types." + type.code(), type.retention());
  }
  return text;
}

void BuildRetention(const Bundle& bundle, Problems* problems) {
  const v1::BundleRetention& retention = bundle.manifest.retention();
  if (Find(retention.records(), kDefault) == nullptr) {
    problems->Invalid(kManifestFile, 1, "missing 'default' in retention.records");
    return;
  }
  CheckKinds(retention.records(), "retention.records", problems);
  CheckKinds(retention.details(), "retention.details", problems);
  CheckDetails(retention, problems);
  CheckTypes(bundle, problems);
  const auto terms = TermsOf(bundle);
  // LIMIT: a sweep goes through the log once for each different term.
  if (terms.size() > limits::kRecordTermsMax) {
    problems->Invalid(kManifestFile, 1,
                      "retention: expected at most " + std::to_string(limits::kRecordTermsMax) +
                          " different terms of records, details and signal types; found " +
                          std::to_string(terms.size()));
  }
}

}  // namespace schakel::policy
