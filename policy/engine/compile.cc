#include "policy/engine/compile.h"

#include <algorithm>

#include "broker/config/yaml_message.h"
#include "policy/engine/content_schema.h"
#include "policy/engine/duration.h"
#include "policy/engine/tables.h"

namespace schakel::policy {
namespace {

// AVG art. 26, 28 and 35: nobody may exchange before it is clear who answers for it.
void CheckResponsible(const v1::BundleManifest& m, Problems* problems) {
  if (m.controllers().empty()) problems->Invalid(kManifestFile, 1, "missing key 'controllers'");
  if (!m.has_processor()) problems->Invalid(kManifestFile, 1, "missing key 'processor'");
  if (m.dpia().empty()) problems->Invalid(kManifestFile, 1, "missing key 'dpia'");
}

template <typename Items>
const typename Items::value_type* At(const Items& items, Code code) {
  return code == kUnknown ? nullptr : &items.Get(code);
}

}  // namespace

CompiledBundle::CompiledBundle() : tables_(std::make_unique<Tables>()) {}
CompiledBundle::~CompiledBundle() = default;

Code CompiledBundle::SignalType(std::string_view c) const { return tables_->signal_types.Find(c); }
Code CompiledBundle::Purpose(std::string_view c) const { return tables_->purposes.Find(c); }
Code CompiledBundle::Category(std::string_view c) const { return tables_->categories.Find(c); }
Code CompiledBundle::Ground(std::string_view c) const { return tables_->grounds.Find(c); }

const v1::BundleSignalType* CompiledBundle::FindSignalType(std::string_view code) const {
  return At(source_.signal_types.signal_types(), SignalType(code));
}
const v1::BundleGround* CompiledBundle::FindGround(std::string_view code) const {
  return At(source_.grounds.grounds(), Ground(code));
}
const v1::BundleCategory* CompiledBundle::FindCategory(std::string_view code) const {
  return At(source_.manifest.categories(), Category(code));
}
bool CompiledBundle::KnowsSector(std::string_view code) const {
  return tables_->sectors.Find(code) != kUnknown;
}
bool CompiledBundle::KnowsPurpose(std::string_view code) const { return Purpose(code) != kUnknown; }
bool CompiledBundle::KnowsFunction(std::string_view code) const {
  return tables_->functions.Find(code) != kUnknown;
}
bool CompiledBundle::KnowsArea(std::string_view code) const {
  return tables_->areas.Find(code) != kUnknown;
}
bool CompiledBundle::KnowsCondition(std::string_view code) const {
  return tables_->conditions.Find(code) != kUnknown;
}
bool CompiledBundle::KnowsOutcome(std::string_view code) const {
  return tables_->outcomes.Find(code) != kUnknown;
}

std::vector<std::string> CompiledBundle::OutcomesOf(std::string_view signal_type) const {
  const v1::BundleSignalType* type = FindSignalType(signal_type);
  const auto& codes = type == nullptr || type->outcomes().empty()
                          ? source_.manifest.default_outcomes()
                          : type->outcomes();
  return {codes.begin(), codes.end()};
}

std::string CompiledBundle::NameOf(CodeKind kind, std::string_view code,
                                   std::string_view language) const {
  const auto it = tables_->names.find({kind, std::string(code)});
  if (it == tables_->names.end()) return std::string(code);
  return language == "nl" ? it->second.first : it->second.second;
}

std::string CompiledBundle::AboutOf(CodeKind kind, std::string_view code,
                                    std::string_view language) const {
  const auto it = tables_->abouts.find({kind, std::string(code)});
  if (it == tables_->abouts.end()) return {};
  return language == "nl" ? it->second.first : it->second.second;
}

std::optional<OrganisationId> CompiledBundle::Resolve(const FunctionAtArea& function) const {
  const auto it = tables_->holders.find(function);
  if (it == tables_->holders.end()) return std::nullopt;
  return it->second;
}

std::vector<FunctionAtArea> CompiledBundle::FunctionsOf(const OrganisationId& oin) const {
  const auto it = tables_->functions_of.find(oin.str());
  return it == tables_->functions_of.end() ? std::vector<FunctionAtArea>{} : it->second;
}

std::string_view CompiledBundle::SchemaId(std::string_view signal_type,
                                          std::string_view category) const {
  const v1::BundleSignalType* type = FindSignalType(signal_type);
  if (type == nullptr) return {};
  for (const v1::BundleTypeCategory& entry : type->categories()) {
    if (entry.category() == category) return entry.schema();
  }
  return {};
}

std::optional<Digest> CompiledBundle::KeyDocument(uint32_t epoch) const {
  for (const v1::BundleKeyDocument& document : source_.manifest.key_documents()) {
    if (document.epoch() != epoch) continue;
    const auto raw = HexDecode(document.digest());
    return raw ? Digest::From(*raw) : std::nullopt;
  }
  return std::nullopt;
}

std::vector<uint32_t> CompiledBundle::LiveEpochs() const {
  std::vector<uint32_t> epochs;
  for (const auto& document : source_.manifest.key_documents()) epochs.push_back(document.epoch());
  std::sort(epochs.begin(), epochs.end());
  return epochs;
}

Millis CompiledBundle::StalledAfter(std::string_view signal_type) const {
  const v1::BundleSignalType* type = FindSignalType(signal_type);
  if (type == nullptr || !type->has_stalled_after()) return kStalledAfterDefault;
  return ToMillis(type->stalled_after());
}

std::shared_ptr<const CompiledBundle> Compile(const Bundle& bundle, std::vector<Error>* problems) {
  const size_t before = problems->size();
  std::shared_ptr<CompiledBundle> out(new CompiledBundle());
  out->source_ = bundle;
  // Views in the tables point into the copy that lives as long as they do.
  const Bundle& source = out->source_;
  Tables* t = out->tables_.get();
  Problems found(problems);
  CheckResponsible(source.manifest, &found);
  BuildCodes(source, t, &found);
  BuildRetention(source, &found);
  if (problems->size() > before) return nullptr;  // places and codes agree from here on
  BuildAreas(source, t, &found);
  BuildGrounds(source, t, &found);
  BuildTypes(source, t, &found);
  BuildFunctions(source, t, &found);
  BuildRules(source, t, &found);
  out->schemas_ = ContentSchemas::Create(source.schemas, problems);
  if (problems->size() > before) return nullptr;
  return out;
}

Result<std::shared_ptr<const CompiledBundle>> Compile(const Bundle& bundle) {
  std::vector<Error> problems;
  auto compiled = Compile(bundle, &problems);
  if (compiled) return compiled;
  Error error = config::JoinProblems(problems);
  error.reason = "BUNDLE_INVALID";
  return error;
}

Result<std::shared_ptr<const CompiledBundle>> CompileFiles(const BundleFiles& files) {
  SCHAKEL_ASSIGN(const Bundle bundle, ParseBundle(files));
  return Compile(bundle);
}

}  // namespace schakel::policy
