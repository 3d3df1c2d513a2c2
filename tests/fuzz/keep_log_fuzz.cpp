// keep.log: any bytes are read to their end, and what they tell is put into a database or refused. Rows alone
// are tried, too: the input behind its first byte.
#include <cstdlib>

#include "engine/database/database.hpp"
#include "engine/database/kept_rows.hpp"
#include "engine/site/keep_log.hpp"
#include "simulations/world/sim_disk.hpp"
#include "tests/support/site_checks.hpp"

namespace {

using namespace satchel;

// Made once: what an input puts into it is rolled back.
database::Database& some_database() {
    static support::FixedWorld world(1);
    static simulations::SimDisk disk;
    static const Result<std::unique_ptr<database::Database>> opened =
        database::Database::open(disk, world.world(), "site.db");
    if (!opened.has_value()) std::abort();
    return **opened;
}

void apply(ByteView rows) {
    const Result<database::Transaction> transaction = database::Transaction::begin(some_database());
    if (!transaction.has_value()) std::abort();
    static_cast<void>(database::apply_kept_rows(some_database(), rows).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes(data, size);
    if (!bytes.empty()) apply(bytes.subspan(1));
    simulations::SimDisk disk;
    const auto file = disk.open(site::kKeepLogPath, env::OpenMode::kWrite);
    if (!file.has_value() || !(*file)->write_at(0, bytes).has_value()) std::abort();
    std::uint64_t ended = 0;
    const Result<site::KeepLogRead> read =
        site::read_keep_log(disk, [&](ByteView rows, bool is_last) -> Result<void> {
            ended += is_last ? 1 : 0;
            apply(rows);
            return {};
        });
    if (read.has_value() && read->transactions != ended) std::abort();
    return 0;
}
