// An office whose catalogue is copied out, and the stock programs that judge the copies.
#pragma once

#include <cstdlib>
#include <string>

#include "engine/catalogue/mirror.hpp"
#include "engine/catalogue/snapshot.hpp"
#include "tests/engine/catalogue/catalogue_kit.hpp"

namespace satchel::catalogue {

inline int quietly(const std::string& command) {
    return std::system(("( " + command + " ) >/dev/null 2>&1").c_str());
}

// git that reads no configuration but the repository's.
inline std::string git(const std::string& repository) {
    return "GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null git -C '" + repository + "' ";
}

class TestOffice : public Box {
  public:
    // One commit that puts the first edition of each of these courses there.
    void publish_many(const std::string& prefix, int count) {
        std::vector<DocumentChange> changes;
        for (int at = 0; at < count; ++at)
            changes.push_back(change_of(edition_of(prefix + std::to_string(at), 1)));
        must((*this)->commit("office", key_of(kEditor), "Publish " + prefix, changes));
    }
    Result<void> mirror(env::Disk& disk, const std::string& directory) {
        return write_mirror(database(), trust(), disk, directory);
    }
    Result<void> snapshot(env::Disk& disk, const std::string& directory) {
        return write_snapshot(database(), trust(), disk, directory);
    }
};

}  // namespace satchel::catalogue
