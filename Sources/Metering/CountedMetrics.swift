/// What the code counts as it happens; what can be looked up when somebody asks is in `Reporting`.
public enum CountedMetrics {
    public static let all: [Metric] = [
        Metric(
            "datarowd_manifests_claimed_total", .counter, labels: ["watch"], "Manifests taken from the drop folder"),
        Metric(
            "datarowd_manifests_refused_total", .counter, labels: ["watch"],
            "Attempts to take a file from the drop folder that failed"),
        Metric("datarowd_rows_submitted_total", .counter, "Rows handed over to Labelbox, sent again ones included"),
        Metric("datarowd_rows_deletion_taken_total", .counter, "Rows whose deletion Labelbox took"),
        Metric(
            "datarowd_tasks_ended_total", .counter, labels: ["status"],
            "Tasks that ended at Labelbox, by their status: complete, failed, canceled, absent or other"),
        Metric(
            "datarowd_submissions_ambiguous_total", .counter,
            "Submissions whose answer was lost, so that their rows were looked up"),
        Metric("datarowd_media_uploaded_total", .counter, "Media files uploaded"),
        Metric("datarowd_media_uploaded_bytes_total", .counter, "Bytes of media files uploaded"),
        Metric(
            "datarowd_media_reused_total", .counter, "Media files that needed no upload, since their content was there"),
        Metric("datarowd_media_failed_total", .counter, "Media files that could not be imported"),
        Metric(
            "datarowd_requests_total", .counter, labels: ["operation", "outcome"],
            "Requests to Labelbox by the field of its API and how they ended: ok, or the error's code"),
        Metric(
            "datarowd_request_duration_seconds", .histogram, labels: ["operation"],
            "How long requests to Labelbox took, waiting for their turn not included"),
        Metric(
            "datarowd_request_retries_total", .counter, labels: ["kind"],
            "Requests that failed and were sent again, by what they do: read, upload or submit"),
        Metric("datarowd_sent_bytes_total", .counter, "Bytes of request bodies sent to Labelbox"),
        Metric("datarowd_received_bytes_total", .counter, "Bytes of answers' bodies from Labelbox"),
        Metric(
            "datarowd_stage_failures_total", .counter, labels: ["stage"],
            "Pieces of work that a stage of the pipeline put back because of an error"),
        Metric(
            "datarowd_leases_lost_total", .counter, labels: ["stage"],
            "Pieces of work that somebody else had taken over in the meantime"),
    ]
}
