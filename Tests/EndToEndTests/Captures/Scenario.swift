import DataRows
import Foundation
import LabelboxAPI

/// What datarowd does to come to what the SDK did in a recording.
struct Scenario: Sendable {
    /// Files and manifests, dropped one after the other into a daemon's folder.
    struct Drops: Sendable {
        var files: [String] = []
        var manifests: [String]
        var labelbox: [String] = []
        /// What is to become of the rows, in their order, over all manifests.
        var outcomes: [String]
        /// Words that stand in the errors of the last status.
        var words: [String] = []
    }

    enum Way: Sendable {
        /// The daemon as a process.
        case daemon(Drops)
        /// Calls of the client that daemon and operator's tool share.
        case calls(@Sendable (LabelboxClient, Capture) async throws -> Void)
        /// The same through a gate.
        case gatedCalls(@Sendable ((any RequestGate) throws -> LabelboxClient, Capture) async throws -> Void)
        /// Not done, with the reason.
        case notDone(String)
    }

    let capture: String
    let way: Way
    var differences: [Difference] = []

    static let dataset = DatasetID(rawValue: "cmdset0000000000000000001")

    // MARK: Imports

    private static func url(_ number: Int, _ more: String = "") -> String {
        #"{"row_data": "https://storage.example.com/bucket/img-\#(number).jpg"\#(more)}"#
    }

    private static func upsert(
        _ name: String, _ manifests: [String], files: [String] = [], outcomes: [String], words: [String] = [],
        _ differences: [Difference] = []
    ) -> Scenario {
        Scenario(
            capture: "sdk-7.17.0/\(name)",
            way: .daemon(Drops(files: files, manifests: manifests, outcomes: outcomes, words: words)),
            differences: [.namesTheRightWayRound, .askedOnce] + differences)
    }

    private static func append(
        _ name: String, _ manifest: String, files: [String] = [], with mutation: String = "appendRowsToDataset",
        outcomes: [String], words: [String] = [], _ differences: [Difference]
    ) -> Scenario {
        Scenario(
            capture: name,
            way: .daemon(
                Drops(
                    files: files, manifests: [manifest], labelbox: ["submit_with: \(mutation)"], outcomes: outcomes,
                    words: words)),
            differences: differences)
    }

    private static let talk = """
        [{"messageId": "m0", "timestampUsec": 1530718491, "content": "I love it 🥰",
          "user": {"userId": "Bot 002", "name": "Bot"}, "align": "left", "canLabel": false}]
        """

    private static func created(_ count: Int) -> [String] { Array(repeating: "created", count: count) }

    private static let imports: [Scenario] = [
        upsert(
            "create_urls",
            [
                "[\(url(1, #", "external_id": "img-1", "global_key": "gk-1""#)), \(url(2, #", "external_id": "img-2""#)), \(url(3, #", "media_type": "IMAGE""#))]"
            ],
            outcomes: created(3)),
        upsert(
            "create_local_files",
            [
                #"""
                ["notes.txt", "images/cat.png", "blob", {"row_data": "images/dog photo.jpg", "external_id": "dog"},
                 {"row_data": "empty.txt"}, {"row_data": "фото é \"q\".png"}]
                """#
            ],
            files: ["notes.txt", "images/cat.png", "blob", "images/dog photo.jpg", "empty.txt", "фото é \"q\".png"],
            outcomes: created(6), [.namedAllTheSame, .sameContentOnce]),
        upsert(
            "create_mixed",
            [
                #"[\#(url(1)), {"row_data": "just some text"}, {"row_data": "notes.txt", "global_key": "notes"}, "images/cat.png"]"#
            ],
            files: ["notes.txt", "images/cat.png"], outcomes: created(4), [.namelessReadAgain]),
        Scenario(
            capture: "sdk-7.17.0/missing_local_path",
            way: .daemon(
                Drops(
                    manifests: [#"["no/such/file.png"]"#], outcomes: ["failed"], words: ["no/such/file.png"])),
            differences: [.missingPathIsAnError]),
        upsert(
            "inline_text",
            [
                #"""
                [{"row_data": "The quick brown fox", "external_id": "t1"},
                 {"row_data": "\u591a言\u8a9e text with \"quotes\" \\ and \n newline \ud83d\ude00", "external_id": "t2"}]
                """#
            ], outcomes: created(2)),
        upsert(
            "metadata_attachments_embeddings",
            [
                """
                [{"row_data": "https://storage.example.com/bucket/img-1.jpg", "external_id": "m1",
                  "metadata_fields": [
                    {"name": "tag", "value": "a tag"}, {"name": "split", "value": "train"},
                    {"schema_id": "cko8sdzv70006h2dk8jg64zvb", "value": "2024-05-01T10:20:30+02:00"},
                    {"name": "confidence", "value": 0.5},
                    {"schema_id": "cl8a1n0000003enm000000003", "value": "cl8a1n0000005opt000000005"}],
                  "attachments": [
                    {"type": "IMAGE", "value": "https://storage.example.com/bucket/img-9.jpg", "name": "context"},
                    {"type": "RAW_TEXT", "value": "please label the cat"},
                    {"type": "HTML", "value": "https://example.com/a.html"}],
                  "embeddings": [{"embedding_id": "emb-1", "vector": [0.25, 1, -3.5], "clusters": [1, 2]},
                                 {"embedding_id": "emb-2", "vector": [1]}]}]
                """
            ], outcomes: created(1), [.rowNotReadBack]),
        upsert(
            "conversational_and_objects",
            [
                """
                [{"row_data": {"type": "application/vnd.labelbox.conversational", "version": 1, "messages": \(talk)},
                  "media_type": "CONVERSATIONAL", "external_id": "conv"},
                 {"conversationalData": \(talk), "externalId": "legacy-conv"},
                 {"row_data": {"tileLayerUrl": "https://tiles.example.com/{z}/{x}/{y}.png",
                   "bounds": [[19.4, -99.2], [19.3, -99.1]], "minZoom": 12, "maxZoom": 20, "epsg": "EPSG4326"},
                  "media_type": "TMS_GEO"},
                 {"row_data": {"pdf_url": "https://example.com/a.pdf", "text_layer_url": "https://example.com/a.json"},
                  "media_type": "PDF"}]
                """
            ], outcomes: created(4), [.namelessReadAgain]),
        upsert(
            "upsert_keys",
            [
                "[\(url(1, #", "global_key": "gk-1""#)), \(url(2, #", "external_id": "two""#))]",
                """
                {"operation": "upsert", "rows": [
                 {"key": {"global_key": "gk-1"}, "external_id": "one"},
                 {"key": {"id": "cm00000000000000000000001"}, "global_key": "gk-2"},
                 {"key": {"global_key": "gk-new"}, "row_data": "https://storage.example.com/bucket/img-3.jpg"},
                 \(url(4))]}
                """,
            ], outcomes: created(4) + ["updated", "updated"], [.keysLookedUp]),
        upsert(
            "create_data_row", ["[\(url(1, #", "external_id": "single", "global_key": "single-gk""#))]"],
            outcomes: created(1), [.rowNotReadBack]),
        upsert("wait_till_done", ["[\(url(1))]"], outcomes: created(1)),
        upsert(
            "result_and_error_pages",
            [
                "["
                    + (0..<8).map { url($0, #", "external_id": "\#($0)", "global_key": "g\#($0 % 5)""#) }.joined(
                        separator: ", ")
                    + "]"
            ], outcomes: created(5) + Array(repeating: "rejected", count: 3), [.wholePages, .refusedBeforehand]),
        upsert(
            "duplicate_global_key",
            [
                "[\(url(1, #", "external_id": "a", "global_key": "same""#)), \(url(2, #", "external_id": "b", "global_key": "same""#))]",
                "[\(url(1, #", "global_key": "same""#))]", "[\(url(1, #", "global_key": "same""#))]",
            ], outcomes: ["created", "rejected", "already_present", "already_present"],
            [.bothLists, .refusedBeforehand, .keysLookedUp]),
        upsert(
            "row_errors",
            [
                """
                [{"row_data": "https://storage.example.com/bucket/img-1.jpg", "metadata_fields": [
                   {"schema_id": "cko8s9r5v0001h2dk9elqdidh", "value": "x"},
                   {"schema_id": "cko8s9r5v0001h2dk9elqdidh", "value": "y"}],
                  "attachments": [{"type": "RAW_TEXT", "value": "hello"}]},
                 {"row_data": "https://storage.example.com/bucket/img-2.jpg", "media_type": "totallyinvalid"},
                 {"row_data": {"invalid_object": "x"}, "media_type": "IMAGE"},
                 \(url(3))]
                """
            ], outcomes: ["failed", "failed", "failed", "created"],
            words: [
                "A schemaId can only be specified once per DataRow : [cko8s9r5v0001h2dk9elqdidh]",
                "Found invalid media type: 'totallyinvalid'", "Expected type image/*, detected: application/json",
            ], [.namelessReadAgain]),
        upsert(
            "chunked", ["[\((0..<5).map { url($0, #", "external_id": "\#($0)""#) }.joined(separator: ", "))]"],
            outcomes: created(5), [.oneChunk]),
        upsert(
            "task_failed", ["[\(url(1))]"], outcomes: ["failed"],
            words: ["ends every task with this row as FAILED, and gives no reason"], [.bothLists]),
        Scenario(
            capture: "sdk-7.17.0/unknown_dataset",
            way: .daemon(
                Drops(
                    manifests: [#"{"dataset_id": "cmdset9999999999999999999", "rows": [\#(url(1))]}"#],
                    outcomes: ["failed"], words: ["cmdset9999999999999999999"]))),
        append(
            "sdk-7.17.0/legacy_task_result_file",
            "[\(url(1, #", "external_id": "a", "global_key": "g""#)), \(url(2, #", "external_id": "b", "global_key": "g""#))]",
            outcomes: ["created", "rejected"], [.datasetAskedFirst, .addressAskedAnew, .refusedBeforehand]),
        append(
            "sdk-7.17.0/legacy_task_failed", "[\(url(1))]", outcomes: ["failed"],
            words: ["Failed to process the import file"], [.datasetAskedFirst, .addressAskedAnew]),
        append(
            "sdk-3.22.1/create_urls", "[\(url(1, #", "external_id": "img-1""#)), \(url(2))]", outcomes: created(2),
            [.resultsRead, .addressAskedAnew]),
        append(
            "sdk-3.22.1/create_local_files",
            #"""
            [\#(url(1)), "images/cat.png", {"row_data": "notes.txt", "external_id": "notes", "attachments": []}]
            """#,
            files: ["images/cat.png", "notes.txt"], outcomes: created(3),
            [.noEmptyAttachments, .resultsRead, .addressAskedAnew]),
        append(
            "sdk-3.22.1/inline_and_tiles",
            """
            [{"row_data": "inline text", "external_id": "t"},
             {"row_data": {"tileLayerUrl": "https://tiles.example.com/{z}/{x}/{y}.png",
               "bounds": [[19.4, -99.2], [19.3, -99.1]], "minZoom": 12, "maxZoom": 20, "epsg": "EPSG4326"},
              "external_id": "tiles"}]
            """, outcomes: created(2), [.tilesAsRowData, .resultsRead, .addressAskedAnew]),
        append(
            "sdk-3.22.1/metadata_attachments",
            """
            [{"row_data": "https://storage.example.com/bucket/img-1.jpg", "external_id": "m",
              "attachments": [{"type": "RAW_TEXT", "value": "hello"}],
              "metadata_fields": [{"name": "tag", "value": "a tag"}]}]
            """, outcomes: created(1), [.textAttachments, .resultsRead, .addressAskedAnew]),
        append(
            "sdk-3.22.1/create_sync", "[\(url(1)), \(url(2))]", outcomes: created(2),
            [.notTheSyncForm, .resultsRead]),
        append(
            "sdk-3.22.1/create_data_row", "[\(url(1, #", "external_id": "single""#))]", with: "createDataRow",
            outcomes: created(1), []),
        append(
            "sdk-3.22.1/wait_till_done", "[\(url(1))]", outcomes: created(1), [.resultsRead, .addressAskedAnew]),
        append(
            "sdk-3.22.1/missing_local_path", #"["no/such/file.png"]"#, outcomes: ["failed"],
            words: ["no/such/file.png"], []),
        append(
            "sdk-3.22.1/unknown_dataset", #"{"dataset_id": "cmdset9999999999999999999", "rows": [\#(url(1))]}"#,
            outcomes: ["failed"], words: ["cmdset9999999999999999999"], []),
    ]

    static let all: [Scenario] = imports + calls
}
