// Facts for reports, made from events and dropped at will. Private to engine/records.
#pragma once

#include "engine/database/database.hpp"
#include "engine/records/event.hpp"
#include "engine/records/segment.hpp"
#include "engine/trust/trust_store.hpp"

namespace satchel::records {

// Whose words an event is: a feed's.
struct Author {
    SiteId site;
    bool is_hub = false;  // may say what happened elsewhere, and correct it
    Incarnation incarnation;
};

// An origin as events of the box itself have it: half of the site's id.
[[nodiscard]] std::string origin_of(const SiteId& site);
[[nodiscard]] Identity identity_of(const Author& author, std::uint64_t sequence, const Event& event,
                                   ByteView encoded);

class Projection {
  public:
    static Result<Projection> create(database::Database& database);
    // In the caller's transaction. Any order, and any number of times, gives the same tables.
    Result<void> add(const Author& author, std::uint64_t sequence, ByteView encoded);

  private:
    Projection(database::Statement find, database::Statement put, database::Statement put_rival,
               database::Statement put_correction, database::Statement drop_corrections)
        : find_(std::move(find)),
          put_(std::move(put)),
          put_rival_(std::move(put_rival)),
          put_correction_(std::move(put_correction)),
          drop_corrections_(std::move(drop_corrections)) {}
    Result<void> note_rival(const Identity& identity, ByteView content);
    Result<void> put_corrections(const Identity& identity, const Author& author, const Event& event);
    Result<void> put_correction(const Identity& target, const std::string& field, std::int64_t revision,
                                const Identity& identity, const std::string& value);
    database::Statement find_, put_, put_rival_, put_correction_, drop_corrections_;
};

}  // namespace satchel::records
