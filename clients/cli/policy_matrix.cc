#include "clients/cli/policy_matrix.h"

#include <memory>
#include <nlohmann/json.hpp>

#include "clients/sdk/files.h"
#include "policy/engine/matrix.h"

namespace schakel::cli {
namespace {

using Json = nlohmann::ordered_json;
using policy::CodeKind;
using policy::MatrixRow;

struct MatrixOptions {
  std::string folder;
  policy::MatrixFilter filter;
};

// Codes as flags and bundles write them: same-municipality, objection-weighed.
template <typename Enum>
std::string CodeOf(Enum value, std::string_view prefix) {
  std::string code = google::protobuf::GetEnumDescriptor<Enum>()->FindValueByNumber(value)->name();
  code.erase(0, prefix.size());
  for (char& c : code) c = c == '_' ? '-' : static_cast<char>(std::tolower(c));
  return code;
}

// A time as bundles write it, in the largest unit that fits: 7d, 12h, 10min.
std::string TermText(std::chrono::milliseconds term) {
  const auto count = term.count();
  const auto in = [&](int64_t unit, const char* name) {
    return std::to_string(count / unit) + name;
  };
  if (count % 86'400'000 == 0) return in(86'400'000, "d");
  if (count % 3'600'000 == 0) return in(3'600'000, "h");
  if (count % 60'000 == 0) return in(60'000, "min");
  return count % 1000 == 0 ? in(1000, "s") : in(1, "ms");
}

// ---- For programs: codes ----

Json JsonOf(const policy::MatrixParty& party) {
  return {{"sectors", party.any_sector ? std::vector<std::string>{} : party.sectors},
          {"function", party.function},
          {"organisation", party.organisation}};
}

Json JsonOf(const std::optional<policy::Obligations>& obligations) {
  Json json = Json::object();
  if (!obligations) return json;
  const auto add = [&](const char* name, const auto& term) {
    if (term) json[name] = TermText(*term);
  };
  add("acknowledge_within", obligations->acknowledge_within);
  add("retention", obligations->retention);
  add("notify_subject_within", obligations->notify_subject_within);
  if (obligations->reason_required) json["reason_required"] = true;
  return json;
}

Json JsonOf(const MatrixRow& row) {
  return {{"sender", JsonOf(row.sender)},
          {"signal_type", row.signal_type},
          {"recipient", JsonOf(row.recipient)},
          {"category", row.category},
          {"ground", row.ground},
          {"purposes", row.purposes},
          {"conditions", row.conditions},
          {"consent", row.consent},
          {"bsn_authority", row.bsn_authority},
          {"nobody", row.nobody},
          {"area", CodeOf(row.area, "BUNDLE_AREA_RELATION_")},
          {"case", CodeOf(row.case_relation, "BUNDLE_CASE_RELATION_")},
          {"objection", CodeOf(row.objection, "BUNDLE_OBJECTION_EFFECT_")},
          {"obligations", JsonOf(row.obligations)},
          {"except", row.except},
          {"rule", row.rule}};
}

// ---- For people: names ----

class Texts {
 public:
  Texts(const Invocation& invocation, const policy::CompiledBundle& bundle)
      : invocation_(invocation), bundle_(bundle), language_(cli::CodeOf(invocation.language())) {}

  std::string Name(CodeKind kind, const std::string& code) const {
    return bundle_.NameOf(kind, code, language_);
  }

  template <typename Codes>
  std::string Names(CodeKind kind, const Codes& codes) const {
    std::string list;
    for (const auto& code : codes) list += (list.empty() ? "" : ", ") + Name(kind, code);
    return list;
  }

  std::string Party(const policy::MatrixParty& party) const {
    std::string who;
    if (!party.function.empty()) who = Name(CodeKind::kFunction, party.function);
    if (!party.organisation.empty()) who += (who.empty() ? "" : ", ") + party.organisation;
    const std::string sectors = Names(CodeKind::kSector, party.sectors);
    if (party.any_sector) return who.empty() ? invocation_.Text(Msg::kAnybody) : who;
    if (party.names_sectors) return who.empty() ? sectors : who + " (" + sectors + ")";
    if (who.empty()) who = invocation_.Text(Msg::kAnybody);
    const std::vector<std::string> others = OthersThan(party.sectors);
    if (others.size() > party.sectors.size()) return who + " (" + sectors + ")";
    return invocation_.Text(Msg::kAllBut, {who, Names(CodeKind::kSector, others)});
  }

  // What must hold beside the ground itself.
  std::string If(const MatrixRow& row) const {
    Clauses clauses;
    if (row.consent) clauses.Add(invocation_.Text(Msg::kIfConsent));
    for (const std::string& condition : row.conditions) {
      clauses.Add(invocation_.Text(Msg::kIfAttested, {Name(CodeKind::kCondition, condition)}));
    }
    if (row.area > v1::BUNDLE_AREA_RELATION_ANY) clauses.Add(invocation_.Text(AreaText(row.area)));
    if (row.case_relation == v1::BUNDLE_CASE_RELATION_NAMED) {
      clauses.Add(invocation_.Text(Msg::kIfCaseNamed));
    }
    if (row.case_relation == v1::BUNDLE_CASE_RELATION_PARTICIPANTS) {
      clauses.Add(invocation_.Text(Msg::kIfParticipants));
    }
    if (row.nobody) clauses.Add(invocation_.Text(Msg::kIfNobody));
    if (row.bsn_authority) clauses.Add(invocation_.Text(Msg::kIfBsnAuthority));
    if (!row.consent && row.objection == v1::BUNDLE_OBJECTION_EFFECT_BLOCKS) {
      clauses.Add(invocation_.Text(Msg::kIfNoObjection));
    }
    if (row.objection == v1::BUNDLE_OBJECTION_EFFECT_REVIEW) {
      clauses.Add(invocation_.Text(Msg::kIfObjectionWeighed));
    }
    for (const std::string& rule : row.except) {
      clauses.Add(invocation_.Text(Msg::kIfNotByRule, {rule}));
    }
    return clauses.text;
  }

  std::string Then(const std::optional<policy::Obligations>& obligations) const {
    Clauses clauses;
    if (!obligations) return {};
    const auto add = [&](Msg message, const auto& term) {
      if (term) clauses.Add(invocation_.Text(message, {TermText(*term)}));
    };
    add(Msg::kThenAcknowledge, obligations->acknowledge_within);
    add(Msg::kThenKeep, obligations->retention);
    add(Msg::kThenTell, obligations->notify_subject_within);
    if (obligations->reason_required) clauses.Add(invocation_.Text(Msg::kThenReason));
    return clauses.text;
  }

 private:
  struct Clauses {
    std::string text;
    void Add(const std::string& clause) { text += (text.empty() ? "" : "; ") + clause; }
  };

  std::vector<std::string> OthersThan(const std::vector<std::string>& sectors) const {
    std::vector<std::string> others;
    for (const auto& sector : bundle_.source().manifest.sectors()) {
      if (std::find(sectors.begin(), sectors.end(), sector.code()) == sectors.end()) {
        others.push_back(sector.code());
      }
    }
    return others;
  }

  static Msg AreaText(v1::BundleAreaRelation area) {
    if (area == v1::BUNDLE_AREA_RELATION_SAME_NEIGHBOURHOOD) return Msg::kIfSameNeighbourhood;
    if (area == v1::BUNDLE_AREA_RELATION_SAME_MUNICIPALITY) return Msg::kIfSameMunicipality;
    if (area == v1::BUNDLE_AREA_RELATION_SAME_SUBREGION) return Msg::kIfSameSubregion;
    return Msg::kIfSameRegion;
  }

  const Invocation& invocation_;
  const policy::CompiledBundle& bundle_;
  const std::string language_;
};

Result<std::shared_ptr<const policy::CompiledBundle>> BundleOf(Invocation& invocation,
                                                               const std::string& folder) {
  if (!folder.empty()) {
    SCHAKEL_ASSIGN(const auto files, sdk::ReadPolicyFolder(folder));
    return policy::CompileFiles(files);
  }
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const client, session->policy());
  SCHAKEL_ASSIGN(const auto response, client->Get(std::nullopt));
  const auto digest = Digest::From(response.digest());
  if (!digest) return Internal("the broker gave no digest");
  SCHAKEL_ASSIGN(const auto loaded, sdk::LoadBundle(response.bundle(), *digest));
  return loaded->compiled;
}

Result<ExitCode> ShowMatrix(Invocation& invocation, const MatrixOptions& options) {
  SCHAKEL_ASSIGN(const auto bundle, BundleOf(invocation, options.folder));
  for (const std::string& name : policy::UnknownNames(*bundle, options.filter)) {
    return UsageError(invocation.Text(Msg::kNotInBundle, {name}), "");
  }
  const auto rows = policy::Matrix(*bundle, options.filter);
  const Texts texts(invocation, *bundle);
  Table table({invocation.Text(Msg::kColSender), invocation.Text(Msg::kColType),
               invocation.Text(Msg::kColRecipient), invocation.Text(Msg::kColSection),
               invocation.Text(Msg::kColGround), invocation.Text(Msg::kColPurpose),
               invocation.Text(Msg::kColIf), invocation.Text(Msg::kColObligations),
               invocation.Text(Msg::kColRule)});
  Json whole = Json::array();
  std::vector<std::string> lines;
  for (const MatrixRow& row : rows) {
    table.Add({texts.Party(row.sender), texts.Name(CodeKind::kSignalType, row.signal_type),
               texts.Party(row.recipient), texts.Name(CodeKind::kCategory, row.category),
               texts.Name(CodeKind::kGround, row.ground),
               texts.Names(CodeKind::kPurpose, row.purposes), texts.If(row),
               texts.Then(row.obligations), row.rule});
    whole.push_back(JsonOf(row));
    lines.push_back(whole.back().dump());
  }
  for (const std::string& type : options.filter.signal_types) {
    const char* const language = cli::CodeOf(invocation.language());
    const std::string about = bundle->AboutOf(CodeKind::kSignalType, type, language);
    if (!about.empty()) invocation.Line(texts.Name(CodeKind::kSignalType, type) + ": " + about);
  }
  invocation.ShowJson(whole.dump(2), lines, table);
  invocation.Note(Msg::kMatrixRows, {std::to_string(rows.size())});
  return ExitCode::kOk;
}

}  // namespace

void AddPolicyMatrix(CLI::App* noun, Invocation& invocation) {
  Verb matrix(noun, invocation, "matrix", Msg::kVerbPolicyMatrix,
              "schakel policy matrix policy/zuid-holland-zuid --type rent-arrears\n"
              "schakel policy matrix --sender police --recipient neighbourhood-team\n"
              "schakel policy matrix policy/zuid-holland-zuid -o csv > matrix.csv");
  const auto options = std::make_shared<MatrixOptions>();
  matrix.Value("DIR", options->folder, Msg::kArgMatrixDir, "DIR");
  matrix.Values("--sender", options->filter.senders, Msg::kOptMatrixSender, "CODE");
  matrix.Values("--recipient", options->filter.recipients, Msg::kOptMatrixRecipient, "CODE");
  matrix.Values("--type", options->filter.signal_types, Msg::kOptMatrixType, "CODE");
  matrix.AllowCsv();
  matrix.Run([&invocation, options] { return ShowMatrix(invocation, *options); });
}

}  // namespace schakel::cli
