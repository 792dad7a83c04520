internal import Foundation
internal import LabelboxAPI
internal import Ledger
internal import Transport

/// Uploads texts that are too long to stand in a row.
///
/// A text is known by its digest, so that one that was uploaded before a crash is not uploaded again.
struct TextUploads: Sendable {
    let ledger: any LedgerStore
    let client: LabelboxClient
    let watches: WatchBoard
    let clock: ImportClock

    func url(of text: [UInt8], for segment: SegmentRecord) async throws -> String {
        let digest = text.withUnsafeBytes { ContentHash.digest(of: $0) }
        let now = clock.now
        let age = watches[segment.watch]?.mediaURLAge ?? .zero
        let type = "text/plain"
        if let known = try await ledger.knownContent(
            sha256: digest, bytes: Int64(text.count), type: type, uploadedAfter: now.addingTimeInterval(-age.seconds))
        {
            return known.url
        }
        let uploaded = try await client.uploadFile(
            content: .bytes(text), byteCount: Int64(text.count), filename: "row_data.txt", contentType: type,
            progress: nil)
        try await ledger.recordContent(
            UploadedContent(
                sha256: digest, bytes: Int64(text.count), type: type, url: uploaded.url, uploadedAt: now))
        return uploaded.url
    }
}
