import Foundation
import Testing

/// `photo.jpg.json` beside `photo.jpg`: the keys of the photo's row.
@Suite("Sidecars", .serialized)
struct SidecarTests {
    private static let keys =
        #"{"global_key": "photo/1", "metadata_fields": [], "attachments": [{"type": "RAW_TEXT", "value": "n 1e5"}]}"#

    private static func settings(_ lines: String...) -> SiteSettings { SiteSettings(watch: lines) }

    /// The one row that there is, and that the photo went with its sidecar.
    private func expectPhoto(_ site: Site, _ folder: String = "") async throws {
        let status = try await site.ended("\(folder)photo.jpg.json")
        #expect(status["state"].string == "complete", "\(status)")
        #expect(status["bytes"].int == Self.keys.utf8.count)
        let row = try #require(try await site.simulator.rows().first)
        #expect(row["global_key"].string == "photo/1")
        #expect(row["external_id"].string == "\(folder)photo.jpg")
        #expect(row["payload"]["attachments"].list.first?["value"].string == "n 1e5")
        #expect(try await site.simulator.file(try #require(row["row_data"].string)) == Pictures.jpeg("photo"))
        try await eventually(within: .seconds(30), "both are archived") {
            site.archived().sorted() == ["\(folder)photo.jpg", "\(folder)photo.jpg.json"] ? () : nil
        }
        #expect(try site.dropped() == [])
        #expect(try await site.simulator.rows().count == 1)
    }

    @Test("the photo may come first, within its grace, or last", .timeLimit(.minutes(3)), arguments: [true, false])
    func orders(_ isPhotoFirst: Bool) async throws {
        try await Site.with(Self.settings("media_grace: 5m")) { site in
            try await site.start()
            if isPhotoFirst {
                try site.drop("in/photo.jpg", Pictures.jpeg("photo"))
                try site.drop("in/photo.jpg.json", Self.keys)
            } else {
                try site.drop("in/photo.jpg.json", Self.keys)
                try await site.status(of: "in/photo.jpg.json", "waits for the photo") {
                    $0["state"].string == "waiting_for_media"
                }
                try site.drop("in/photo.jpg", Pictures.jpeg("photo"))
            }
            try await expectPhoto(site, "in/")
        }
    }

    @Test("a photo that never comes fails its sidecar, which says so", .timeLimit(.minutes(2)))
    func alone() async throws {
        try await Site.with(Self.settings("media_wait: 1m")) { site in
            try await site.start()
            try site.drop("photo.jpg.json", Self.keys)
            let status = try await site.ended("photo.jpg.json")
            #expect(status["state"].string == "failed", "\(status)")
            #expect(status["errors"].list.first?["code"].string == "media_missing")
            let failed = try String(
                contentsOf: site.place(try #require(status["failed_rows_file"].string)), encoding: .utf8)
            #expect(failed.contains(#""row_data":"./photo.jpg""#), "the row is ready to be dropped again: \(failed)")
            #expect(
                FileManager.default.fileExists(atPath: site.state.appending(path: "failed/drop/photo.jpg.json").path))
        }
    }

    @Test(
        "one that is wrong is rejected, and the photo goes with it and not into the dataset", .timeLimit(.minutes(3)),
        arguments: [
            (#"{"globalkey": "x"}"#, "unknown_key"), (#"{"global_key": "x""#, "truncated"),
            (#"{"tileLayerUrl": "x"}"#, "invalid_sidecar"),
        ])
    func wrong(_ text: String, _ code: String) async throws {
        try await Site.with(Self.settings("media_grace: 1m")) { site in
            try await site.start()
            try site.drop("photo.jpg", Pictures.jpeg("photo"))
            try site.drop("photo.jpg.json", text)
            try site.drop("other.jpg", Pictures.jpeg("other"))
            let status = try await site.ended("photo.jpg.json", within: .seconds(120))
            #expect(status["state"].string == "rejected", "\(status)")
            #expect(status["errors"].list.first?["code"].string == code)
            try await eventually(within: .seconds(60), "the photo lies by its sidecar") {
                let failed = try Site.files(in: site.state.appending(path: "failed/drop"))
                return failed.contains("photo.jpg") && failed.contains("photo.jpg.json") ? () : nil
            }
            try await eventually(within: .seconds(60), "the other photo is imported on its own") {
                try await site.simulator.rows().compactMap { $0["external_id"].string } == ["other.jpg"] ? () : nil
            }
            // Mended, both are dropped again.
            try site.drop("photo.jpg", Pictures.jpeg("photo"))
            try site.drop("photo.jpg.json", Self.keys)
            let mended = try await site.status(of: "photo.jpg.json", "has ended once more") {
                $0["id"].string != status["id"].string && Site.finalStates.contains($0["state"].string ?? "")
            }
            #expect(mended["state"].string == "complete", "\(mended)")
            #expect(try await site.simulator.rows().count == 2)
        }
    }

    @Test(
        "a manifest that names the photo goes before its sidecar, and a list is a manifest whatever its name",
        .timeLimit(.minutes(2)))
    func manifests() async throws {
        try await Site.with(Self.settings("media_wait: 20m")) { site in
            try await site.start()
            try site.drop("rows.json", #"[{"row_data": "photo.jpg", "external_id": "named"}, "late.png"]"#)
            try site.drop("photo.jpg.json", Self.keys)
            try site.drop("photo.jpg", Pictures.jpeg("photo"))
            try site.drop("list.png.json", #"[{"row_data": "https://example.com/1.jpg", "external_id": "of a list"}]"#)
            let status = try await site.ended("photo.jpg.json")
            #expect(status["state"].string == "rejected", "\(status)")
            #expect(status["errors"].list.first?["code"].string == "sidecar_unused")
            #expect(try await site.ended("list.png.json")["state"].string == "complete")
            try site.drop("late.png", Pictures.png("late"))
            #expect(try await site.ended("rows.json")["state"].string == "complete")
            let names = try await site.simulator.rows().compactMap { $0["external_id"].string }
            #expect(names.sorted() == ["late.png", "named", "of a list"])
        }
    }

    @Test(
        "where media is not imported on its own, a sidecar is refused; the one put over another counts",
        .timeLimit(.minutes(2)))
    func ignored() async throws {
        try await Site.with(Self.settings("loose_media: ignore")) { site in
            try await site.start()
            try site.drop("photo.jpg.json", Self.keys)
            let status = try await site.ended("photo.jpg.json")
            #expect(status["errors"].list.first?["code"].string == "sidecar_not_allowed", "\(status)")
        }
        try await Site.with { site in
            try site.drop("photo.jpg.json", #"{"global_key": "first"}"#)
            try site.drop("photo.jpg.json", Self.keys)
            try site.drop("photo.jpg", Pictures.jpeg("photo"))
            try await site.start()
            try await expectPhoto(site)
        }
    }
}
