// SQLite's file layer over the lent disk, one registration a database.
//
// Locks are not kept here: one process owns a site, and the database runs in exclusive locking mode, so
// there is no shared memory either. Nothing is claimed of the device: a power cut may tear any sector of
// kSectorBytes that is being written, also where its neighbours were synced before, and SQLite pads its
// log accordingly. A name is sure before the first sync of its file returns.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/env/disk.hpp"
#include "engine/env/world.hpp"

namespace satchel::database {

// The unit that flash cards rewrite as a whole is at least this.
inline constexpr int kSectorBytes = 4096;

class SqliteVfs {
  public:
    SqliteVfs(env::Disk& disk, env::World world);  // both are borrowed
    ~SqliteVfs();
    SqliteVfs(const SqliteVfs&) = delete;
    SqliteVfs& operator=(const SqliteVfs&) = delete;

    [[nodiscard]] const char* name() const;
    // SQLite draws the salts of its log from one generator a process: seeds it from the lent randomness,
    // so that a simulated world gives the same bytes each time.
    void seed_randomness();
    // What the disk said when it last failed; forgotten by asking.
    [[nodiscard]] std::optional<Error> take_disk_error();

    struct State;

  private:
    std::unique_ptr<State> state_;
};

}  // namespace satchel::database
