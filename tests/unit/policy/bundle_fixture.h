// Bundles for tests: the reference bundle from its folder, and a small one as text to change.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "policy/engine/compile.h"
#include "policy/engine/decide.h"
#include "tests/support/paths.h"

namespace schakel::policy {

inline BundleFiles ReferenceFiles() {
  BundleFiles files;
  const std::filesystem::path folder = checkout::SourcePath("policy/zuid-holland-zuid/");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    files[entry.path().lexically_relative(folder).generic_string()] =
        Bytes(std::istreambuf_iterator<char>(in), {});
  }
  return files;
}

inline std::shared_ptr<const CompiledBundle> MustCompile(const BundleFiles& files) {
  auto compiled = CompileFiles(files);
  if (!compiled.ok()) {
    ADD_FAILURE() << compiled.error().field << ": " << compiled.error().message;
    return nullptr;
  }
  return *compiled;
}

inline std::shared_ptr<const CompiledBundle> ReferenceBundle() {
  static const std::shared_ptr<const CompiledBundle> bundle = MustCompile(ReferenceFiles());
  return bundle;
}

// Replaces the first occurrence of `from` in a file.
inline BundleFiles Changed(BundleFiles files, const std::string& file, const std::string& from,
                           const std::string& to) {
  Bytes& text = files.at(file);
  const size_t at = text.find(from);
  EXPECT_NE(at, Bytes::npos) << "'" << from << "' is not in " << file;
  if (at != Bytes::npos) text.replace(at, from.size(), to);
  return files;
}

// Adds text at the end of a file.
inline BundleFiles Added(BundleFiles files, const std::string& file, const std::string& text) {
  files.at(file) += text;
  return files;
}

// "file:line" of the first occurrence of `what`.
inline std::string PlaceOf(const BundleFiles& files, const std::string& file,
                           const std::string& what) {
  const Bytes& text = files.at(file);
  const size_t at = text.find(what);
  EXPECT_NE(at, Bytes::npos) << what;
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<long>(at), '\n');
  return file + ":" + std::to_string(line);
}

inline OrganisationId Oin(int number) {
  const std::string digits = std::to_string(number);
  return *OrganisationId::From("00000099" + std::string(12 - digits.size(), '0') + digits);
}

// A small bundle that passes every check: two sectors, one special category, three grounds.
inline BundleFiles SmallFiles() {
  BundleFiles files;
  files["bundle.yaml"] = R"(name: small
version: "1"
region: small.example
controllers: [{name: Controller}]
processor: {name: Processor}
dpia: DPIA-1
sectors:
  red: {nl: Rood, en: Red}
  blue: {nl: Blauw, en: Blue}
public_sectors: [blue]
categories:
  money: {nl: Geld, en: Money}
  mind: {nl: Geest, en: Mind, special: true}
  name: {nl: Naam, en: Name, kind: identity}
  bsn: {nl: BSN, en: BSN, kind: identity-bsn}
  address: {nl: Adres, en: Address, kind: identity-address}
purposes:
  help: {nl: Hulp, en: Help}
  watch: {nl: Waken, en: Watch}
links:
  signal: {nl: Melding, en: Signal}
functions:
  helper: {nl: Helper, en: Helper}
  watcher: {nl: Waker, en: Watcher}
conditions:
  urgent-need: {nl: Nood, en: Need}
areas:
  region: {nl: Regio, level: region}
  town: {nl: Stad, level: municipality, parent: region}
  village: {nl: Dorp, level: municipality, parent: region}
  quarter: {nl: Wijk, level: neighbourhood, parent: town}
retention:
  statements: 365d
  records: {default: 365d, publish: 30d}
)";
  files["grounds.yaml"] = R"(grounds:
  consent:
    nl: Toestemming
    en: Consent
    kind: consent
    article: AVG art. 6(1)(a)
    categories:
      money: {article_6: a}
      mind: {article_6: a, exception: AVG art. 9(2)(a)}
      name: {article_6: a}
      bsn: {article_6: a}
      address: {article_6: a}
  law:
    nl: Wet
    en: Law
    article: Law art. 1
    objection: review
    categories:
      money: {article_6: e}
      mind: {article_6: e, exception: AVG art. 9(2)(g)}
      name: {article_6: e}
      bsn: {article_6: e}
      address: {article_6: e}
  emergency:
    nl: Nood
    en: Emergency
    article: Law art. 2
    sectors: [red]
    purposes: [help]
    conditions: [urgent-need]
    objection: no-effect
    categories:
      money: {article_6: d}
  duty:
    nl: Plicht
    en: Duty
    article: Law art. 3
    categories:
      money: {article_6: c}
)";
  files["signal-types.yaml"] = R"(signal_types:
  question:
    nl: Vraag
    en: Question
    link: signal
    purposes: [help]
    categories: {money: any, mind: any, name: any, bsn: any, address: any}
    expires_min: 1h
    expires_max: 30d
    retention: 30d
    stalled_after: 5d
)";
  files["rules.yaml"] = R"(rules:
  - id: red-helps
    effect: permit
    from: {sectors: [red]}
    to: {sectors: [red], functions: [helper]}
    signal_types: [question]
)";
  files["functions.yaml"] = R"(functions:
  helper@town: "00000099000000000002"
  watcher@village: "00000099000000000003"
)";
  files["tests.yaml"] = R"(parties:
  sender: {oin: "00000099000000000001", sector: red, bsn_authority: true}
  receiver: {oin: "00000099000000000002", sector: red, bsn_authority: true}
tests:
  - name: Money goes
    from: sender
    to: helper@town
    type: question
    purpose: help
    categories: [money]
    ground: law
    expect: permit
)";
  files["schemas/any.json"] =
      R"({"type": "object", "additionalProperties": false, "properties": {"note": {"type": "string"}}})";
  return files;
}

// Of the small bundle: permitted by red-helps under the ground law.
inline SectionQuestion Question() {
  return {.sender = {Oin(1), "red", {}, {"town"}, true},
          .recipient = {Oin(2), "red", {}, {"town"}, true},
          .addressed = FunctionAtArea{"helper", "town"},
          .signal_type = "question",
          .purpose = "help",
          .category = "money",
          .ground = "law",
          .attested = {},
          .statements = {},
          .case_id = std::nullopt,
          .now = Millis(150)};
}

}  // namespace schakel::policy
