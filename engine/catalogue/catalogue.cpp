#include "engine/catalogue/catalogue.hpp"

#include "engine/catalogue/mirror.hpp"
#include "engine/catalogue/mirror_reader.hpp"
#include "engine/catalogue/site_catalogue.hpp"
#include "engine/catalogue/snapshot.hpp"

namespace satchel::catalogue {

Result<std::unique_ptr<Catalogue>> Catalogue::open(database::Database& database, env::World world,
                                                   trust::TrustStore& trust, NetworkId network) {
    SATCHEL_TRY(std::unique_ptr<SiteCatalogue> catalogue,
                SiteCatalogue::open(database, world, trust, network));
    return std::unique_ptr<Catalogue>(std::move(catalogue));
}

Result<std::unique_ptr<SiteCatalogue>> SiteCatalogue::open(database::Database& database, env::World world,
                                                           trust::TrustStore& trust, NetworkId network) {
    SATCHEL_TRY(ObjectTable table, ObjectTable::open(database, "git_object"));
    auto objects = std::make_unique<ObjectTable>(std::move(table));
    SATCHEL_TRY(std::unique_ptr<GitRepository> git, GitRepository::open(*objects));
    std::unique_ptr<SiteCatalogue> catalogue(
        new SiteCatalogue(database, world, trust, network, std::move(objects), std::move(git)));
    SATCHEL_TRY(const bool is_judged, catalogue->is_judged_by_current_root());
    if (!is_judged) SATCHEL_TRY_VOID(catalogue->refresh_currency());
    return catalogue;
}

Result<Accepted> SiteCatalogue::accept_from_mirror(env::Disk& disk, std::string_view directory,
                                                   std::string_view lane) {
    SATCHEL_TRY(const std::optional<GitId> head, mirrored_head(disk, directory, lane));
    if (!head)
        return fail(ErrorCode::kNotFound, disk.describe(directory), "part of the lane's history is missing",
                    "read a stick that was written for this site, or for all sites", std::string(lane));
    SATCHEL_TRY_VOID(begin_accept(lane, *head));
    BatchWriter writer([this](ByteView batch) { return add_batch(batch); });
    SATCHEL_TRY_VOID(for_each_mirrored_object(
        disk, directory, [&](GitType type, ByteView data) { return writer.add(type, data); }));
    SATCHEL_TRY_VOID(writer.finish());
    return finish_accept();
}

Result<void> SiteCatalogue::adopt_mirror(env::Disk& disk, std::string_view directory) {
    return catalogue::adopt_mirror(database_, disk, directory);
}

Result<void> SiteCatalogue::update_mirror(env::Disk& disk, std::string_view directory) {
    return write_mirror(database_, trust_, disk, directory);
}

Result<void> SiteCatalogue::export_snapshot(env::Disk& target, std::string_view directory) {
    return write_snapshot(database_, trust_, target, directory);
}

}  // namespace satchel::catalogue
