"""The test modules that take longest, in the order in which workers begin them."""

# What takes longest begins first, so that in the end nobody waits for one test. Modules that compute alternate with
# modules that wait, so that the processors are always busy.
LONGEST = (
    *("test_loop", "test_outages", "test_whole", "test_kills", "test_refused", "test_openapi", "test_machines"),
    *("test_train_whisper_base", "test_power", "test_page_accessibility", "test_tracing", "test_evaluate"),
    *("test_tg_bot_replies", "test_run", "test_nn_service_models", "test_tg_bot_replicas", "test_learn"),
    *("test_own_model", "test_finetune", "test_page_captions", "test_page_cards", "test_comparisons"),
    *("test_page_review", "test_page", "test_page_models", "test_tg_bot_announcements_restart"),
    *("test_whisper_base_ru", "test_tg_bot_reviews_restart", "test_nonspeech", "test_tg_bot_burst"),
    *("test_whisper_inventions", "test_fetch_pinned", "test_fetch_pinned_processes", "test_backup"),
    "test_hostile_audio",
)
