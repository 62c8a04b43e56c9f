;;; The snippet of docs/editors.md in Emacs: emacs --batch -q -l snippet.el   -*- lexical-binding: t -*-
;; CACHEKEY_SNIPPET: the snippet. CACHEKEY_FILE: a Dockerfile. CACHEKEY_CODE: a finding that it must get.
;; Ends with 0, or with 1 after a line that says what did not happen.
(package-initialize)
(require 'eglot)
(require 'flymake)
(unless (fboundp 'dockerfile-ts-mode) (require 'dockerfile-mode))
(load (getenv "CACHEKEY_SNIPPET") nil t)

(defun story-wait (what look)
  "Wait until LOOK returns something; WHAT says what for."
  (let ((end (+ (float-time) 60)) found)
    (while (not (setq found (funcall look)))
      (when (> (float-time) end)
        (message "FAILED: timed out: %s" what)
        (kill-emacs 1))
      (accept-process-output nil 0.05))
    found))

(find-file (getenv "CACHEKEY_FILE"))
(unless (derived-mode-p 'dockerfile-mode 'dockerfile-ts-mode)
  (dockerfile-mode))
(eglot-ensure)
;; In batch mode nobody types, and nothing that waits for a command's end would happen.
(apply #'eglot (eglot--guess-contact))
(story-wait "a server" #'eglot-current-server)
(let ((found (story-wait
              "a finding"
              (lambda ()
                (flymake-start)
                (seq-find (lambda (one) (string-match-p (getenv "CACHEKEY_CODE") (flymake-diagnostic-text one)))
                          (flymake-diagnostics))))))
  (message "found: %s" (flymake-diagnostic-text found))
  (goto-char (flymake-diagnostic-beg found))
  (let* ((answer (jsonrpc-request (eglot-current-server) :textDocument/hover
                                  (eglot--TextDocumentPositionParams)))
         (text (plist-get (plist-get answer :contents) :value)))
    (message "hover: %s" (car (split-string text "\n")))))
(eglot-shutdown (eglot-current-server))
(message "server stopped")
(kill-emacs 0)
