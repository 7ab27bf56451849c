# What happened and what to do: a sentence for each code of an error. $limit is what was exceeded, 0 where it is not known.

error-internal_error = Something went wrong. Try again; if it happens again, the server's log says why.
error-invalid_input = This input cannot be used. Check it and try again.
error-invalid_parameter = A parameter has a value that is not allowed. Correct it and try again.
error-correction_implausible = There are no words here. Send the right text.
error-not_found = Nothing was found: the recording may have been deleted.
error-person_unknown = Press /start first.
error-conflict = This has already been done with other values, or is not possible now. Check what is stored now, and try again.
error-would_replace = There is data here already. To replace it, add --force.
error-backup_invalid = This backup is damaged, or Glas did not make it. Nothing was changed.
error-backup_encrypted = This backup is encrypted. It needs a file with the right key: --identity FILE. Nothing was changed.
error-data_set_invalid = These recordings with texts could not be read. Check the files.
error-references_too_few = There are too few corrected recordings as yet. Collect more corrections, then try again.
error-upload_too_large =
    { $limit ->
        [0] The file is too large.
       *[other] The file is larger than {$limit} MB.
    } Compress the recording (to Ogg/Opus, for example) or split it into parts.
error-audio_invalid = The sound could not be read. Check the file, or send the recording again.
error-audio_empty = There is no sound in the file. Check that the recording is not empty.
error-audio_no_sound_track = This video has no sound: there is nothing to transcribe.
error-audio_format_unsupported = This does not look like a recording. Almost any audio or video will do: Ogg/Opus, MP3, M4A, AAC, WAV, FLAC, WMA, MP4, MOV, WebM, AVI.
error-audio_corrupt = The file is damaged: its sound could not be decoded. Send it again.
error-audio_too_long =
    { $limit ->
        [0] The recording is too long.
        [one] The recording is longer than {$limit} minute, which is too much for one go.
       *[other] The recording is longer than {$limit} minutes, which is too much for one go.
    } Split it into parts.
error-audio_decode_limit = Decoding this file took more memory or time than allowed. Convert it to an ordinary Ogg, MP3 or WAV.
error-model_error = The model is not available at the moment. Try again a little later.
error-model_unknown = There is no such model. For a list: glas models.
error-model_file_missing = A file is missing from the model's directory. Download the model again, or name another directory.
error-model_load_failed = The model could not be loaded: its files are damaged or do not fit. Download it again, or choose another one.
error-hub_unreachable = The model hub cannot be reached. Check the network and try again.
error-service_error = The service could not do this. Try again.
error-invalid_api_key = The access key is missing or wrong. Check it.
error-forbidden = You are not allowed to do this. Ask an administrator.
error-too_many_requests = Too many requests within a minute. Wait a little and try again.
error-foreign_page = This page was opened another time or under another name. Reload it and try again.
error-overloaded = Too many recordings are waiting. Try again a little later.
error-service_stopping = The service is stopping. Try again a little later.
error-service_unreachable = The service is not answering. Try again a little later.
error-service_timeout = The service did not answer in time. Try again.
error-service_fault = The service failed. Its log has the details.
error-configuration = A setting is wrong. To see which one: glas doctor.
error-data_dir_in_use = The data directory is in use: Glas is running in it. Stop it, or choose another directory: GLAS_DATA_DIR.
error-abandoned = The transcription was cancelled: nobody was waiting for it any more.
error-telegram_unreachable = Telegram is not answering. Try again a little later.
error-telegram_answer_unreadable = Telegram's answer could not be understood. Try again a little later.
error-download_failed = The recording could not be downloaded from Telegram. Send it again.
error-person_gone = This person cannot be reached: they blocked the bot, or the chat is gone.
error-chat_forbids = This chat does not let the bot send such messages. Its administrators can allow them.
error-message_gone = This message no longer exists.
error-button_forged = This button does not work: it belongs to another bot.
error-button_stale = This button no longer works.
error-daily_limit = The minutes for today are used up. Try again later: the last 24 hours count.
