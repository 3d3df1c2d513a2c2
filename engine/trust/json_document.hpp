// Canonical JSON documents: sorted keys, two spaces, one final LF, UTF-8, nothing twice. A document decodes
// only if encoding it again gives the same bytes; unknown fields are refused as written by a newer program.
// Who uses this includes nlohmann/json.hpp in its .cpp.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/encoding.hpp"
#include "engine/base/result.hpp"

namespace satchel::trust {

using Json = nlohmann::json;

[[nodiscard]] std::string canonical(const Json& json);
// One line for people: not empty, no control characters (a terminal would obey them), whatever their length
// in UTF-8.
[[nodiscard]] bool is_printable(std::string_view text);
[[nodiscard]] Error damaged_document(const char* what, std::string detail = {});
Result<Json> parse_canonical(ByteView document, std::size_t size_max, const char* what);

// Fields of one object, taken out one by one; what is left at the end is unknown. A field that is missing,
// of another type or beyond its limit makes ok() false and reads as empty or zero.
class Fields {
  public:
    explicit Fields(const Json& json);  // borrowed
    std::string text(const char* name, std::size_t size_max);
    std::int64_t number(const char* name, std::int64_t low, std::int64_t high);
    template <typename Id>
    Id id(const char* name) {
        const std::optional<Id> value = id_from_hex<Id>(text(name, 64));
        require(value.has_value());
        return value.value_or(Id{});
    }
    const Json& list(const char* name, std::size_t count_max);
    const Json* take(const char* name);  // nullptr if there is none; not an error
    [[nodiscard]] bool has(const char* name) const;
    void require(bool condition) { ok_ = ok_ && condition; }
    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] bool all_known() const;
    Result<void> finish(const char* what) const;  // kDamaged, or kUnsupported for an unknown field

  private:
    const Json& json_;
    std::size_t taken_ = 0;
    bool ok_;
};

}  // namespace satchel::trust
