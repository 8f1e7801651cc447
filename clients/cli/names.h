// Codes and numbers as people read them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "clients/cli/language.h"
#include "clients/sdk/session.h"
#include "policy/engine/compile.h"

namespace schakel::cli {

// Asks broker and directory when a name is first wanted, each thing once. Not thread-safe.
class Names {
 public:
  // `session` may be null: then every code stays as it is.
  Names(sdk::Session* session, Language language) : session_(session), language_(language) {}

  // The name of a code in the active bundle; the code itself when it or the bundle is unknown.
  std::string Of(policy::CodeKind kind, const std::string& code);
  // "finances, housing" by their names.
  template <typename Codes>
  std::string ListOf(policy::CodeKind kind, const Codes& codes) {
    std::string list;
    for (const auto& code : codes) list += (list.empty() ? "" : ", ") + Of(kind, code);
    return list;
  }
  // Function and area by their names; empty when the address is unset.
  std::string Function(const v1::FunctionAddress& address);
  // The organisation's name in the directory, or else its OIN.
  std::string Organisation(const std::string& oin);
  // Whom to ask there who an actor is; empty when the directory does not say.
  std::string Contact(const std::string& oin);
  // One side of a consent or objection: a sector, a function, an organisation, or any.
  std::string Axis(const v1::PartyAxis& axis);
  // From now on codes have the names of this bundle instead of the active one's: for what is past.
  // Where it can't be had they stay as they are.
  void UseBundle(const Digest& digest);

 private:
  struct Entry {
    std::string name;
    std::string contact;
  };
  const Entry& Find(const std::string& oin);

  sdk::Session* session_;
  Language language_;
  bool asked_bundle_ = false;
  std::shared_ptr<const sdk::LoadedBundle> bundle_;
  bool directory_fails_ = false;
  std::map<std::string, Entry> organisations_;
};

// The first digits of a digest: enough to tell two apart.
std::string ShortDigest(std::string_view raw);
// A UUID for 16 bytes, empty for none, hex for anything else.
std::string IdText(std::string_view raw);
// The text without control characters: what others wrote must not steer a terminal.
std::string Printable(std::string_view text);

}  // namespace schakel::cli
