// A bundle made ready to decide: codes are small numbers, rules are columns of bits, one bit a
// rule. A CompiledBundle that exists is valid; it is immutable and safe to use from any thread.
//
// Deciding has two steps. Once per envelope and recipient: Intern() codes, parties and statements
// and Meet() the parties. Then Decide() (decide.h) per section and subject looks at numbers only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/clock.h"
#include "broker/base/result.h"
#include "policy/engine/bundle.h"
#include "policy/engine/consent.h"
#include "policy/engine/decision.h"
#include "policy/engine/party.h"

namespace schakel::policy {

// A working week: who did not look by then needs somebody to ask.
inline constexpr Millis kStalledAfterDefault = std::chrono::hours(7 * 24);

class ContentSchemas;
struct Tables;  // tables.h: the numbers behind it, for decide.cc only

// A place in one of the bundle's lists; -1 for a code that the bundle does not know.
using Code = int16_t;
inline constexpr Code kUnknown = -1;

// The lists of codes; a code means something only within its list.
enum class CodeKind : uint8_t {
  kSignalType,
  kPurpose,
  kCategory,
  kGround,
  kSector,
  kFunction,
  kArea,
  kCondition,
  kLink,
};

// A party in numbers. Made by one CompiledBundle and meaningful only with it. Costs about a
// microsecond; worth keeping per directory version.
struct InternedParty {
  struct FunctionArea {
    Code function = kUnknown;
    Code area = kUnknown;
    bool operator==(const FunctionArea&) const = default;
  };
  std::array<uint64_t, 2> oin{};
  Code sector = kUnknown;
  bool bsn_authority = false;
  std::vector<FunctionArea> functions;  // its own and those of the bundle's table
  std::vector<Code> areas;
  std::vector<uint64_t> as_sender;  // bits of the rules whose `from` it matches
};

// Sender and recipient together: the rules that their identity and areas leave.
struct Pair {
  InternedParty sender;
  InternedParty recipient;
  std::optional<InternedParty::FunctionArea> addressed;
  bool resolved = true;         // false: the addressed function is not the recipient's
  std::vector<uint64_t> rules;  // bits of the rules that match both and their areas
};

// A statement in numbers.
struct InternedStatement {
  StatementKind kind = StatementKind::kConsent;
  bool withdrawn = false;
  struct Axis {
    PartyAxisLevel level = PartyAxisLevel::kAny;
    Code code = kUnknown;  // sector or function
    Code area = kUnknown;  // of a function; kUnknown with has_area false: wherever
    bool has_area = false;
    std::array<uint64_t, 2> oin{};  // kOrganisation
  };
  Axis sender;
  Axis recipient;
  std::optional<CaseId> case_id;
  bool any_category = true;
  bool any_purpose = true;
  Code category = kUnknown;
  Code purpose = kUnknown;
  Millis not_before{0};
  Millis not_after{0};
};

// Attested conditions as bits. LIMIT: 63 conditions a bundle; bit 63 is "one that is unknown".
using ConditionSet = uint64_t;

class CompiledBundle {
 public:
  ~CompiledBundle();
  CompiledBundle(const CompiledBundle&) = delete;
  CompiledBundle& operator=(const CompiledBundle&) = delete;

  const Bundle& source() const { return source_; }
  const std::string& name() const { return source_.manifest.name(); }
  const std::string& version() const { return source_.manifest.version(); }
  const std::string& region() const { return source_.manifest.region(); }

  // ---- Looking things up. Pointers live as long as the bundle; null when unknown. ----
  const v1::BundleSignalType* FindSignalType(std::string_view code) const;
  const v1::BundleGround* FindGround(std::string_view code) const;
  const v1::BundleCategory* FindCategory(std::string_view code) const;
  bool KnowsSector(std::string_view code) const;
  bool KnowsPurpose(std::string_view code) const;
  bool KnowsFunction(std::string_view code) const;
  bool KnowsArea(std::string_view code) const;
  bool KnowsCondition(std::string_view code) const;
  // The name of a code in one of the lists, in Dutch ("nl") or English (any other language); the
  // code itself when it is unknown. For screens.
  std::string NameOf(CodeKind kind, std::string_view code, std::string_view language) const;
  // What it is for, in a sentence; empty when it is unknown or the bundle does not say.
  std::string AboutOf(CodeKind kind, std::string_view code, std::string_view language) const;

  // ---- Functions ----
  // Who fulfils a function for an area. nullopt when nobody does.
  std::optional<OrganisationId> Resolve(const FunctionAtArea& function) const;
  // The functions that the table gives an organisation.
  std::vector<FunctionAtArea> FunctionsOf(const OrganisationId& oin) const;

  // ---- Schemas, keys. How long things are kept: retention.h ----
  // The schema id for a category of a signal type; empty when the type does not have the category.
  std::string_view SchemaId(std::string_view signal_type, std::string_view category) const;
  const ContentSchemas& schemas() const { return *schemas_; }
  // The pinned digest of an epoch's key document.
  std::optional<Digest> KeyDocument(uint32_t epoch) const;
  std::vector<uint32_t> LiveEpochs() const;  // ascending
  // How long a signal of the type may wait before it counts as stalled; kStalledAfterDefault for a
  // type that does not say.
  Millis StalledAfter(std::string_view signal_type) const;

  // ---- Step one of a decision ----
  Code SignalType(std::string_view code) const;
  Code Purpose(std::string_view code) const;
  Code Category(std::string_view code) const;
  Code Ground(std::string_view code) const;
  ConditionSet Conditions(std::span<const std::string> attested) const;
  InternedParty Intern(const Party& party) const;
  InternedStatement Intern(const ConsentFact& fact) const;
  Pair Meet(const InternedParty& sender, const InternedParty& recipient,
            const std::optional<FunctionAtArea>& addressed) const;

  const Tables& tables() const { return *tables_; }

 private:
  friend std::shared_ptr<const CompiledBundle> Compile(const Bundle&, std::vector<Error>*);
  CompiledBundle();

  Bundle source_;
  std::unique_ptr<Tables> tables_;
  std::unique_ptr<ContentSchemas> schemas_;
};

// Compiles. Appends one Error per mistake (BUNDLE_INVALID, field "file:line"): an unknown or
// duplicate code, a missing controller, processor or DPIA reference, an area without parent, a
// schema that is missing or wrong, more than the limits allow. Null when there was one.
std::shared_ptr<const CompiledBundle> Compile(const Bundle& bundle, std::vector<Error>* problems);
// The same; the Error is the first mistake and tells how many more there are.
Result<std::shared_ptr<const CompiledBundle>> Compile(const Bundle& bundle);
// Parses and compiles: what activation and start do.
Result<std::shared_ptr<const CompiledBundle>> CompileFiles(const BundleFiles& files);

}  // namespace schakel::policy
