-- The same story in a second real client: nvim --headless -u NONE -i NONE -S neovim.lua
-- CACHEKEY_SERVER: the server's command as a JSON list. CACHEKEY_FILE: the Dockerfile.
-- Ends with 0, or with 1 after a line that says what did not happen.
local command = vim.fn.json_decode(vim.env.CACHEKEY_SERVER)
local file = vim.env.CACHEKEY_FILE
local wait_ms = 60000

local function say(text)
  io.stdout:write(text .. '\n')
end

local function fail(text)
  say('FAILED: ' .. text)
  vim.cmd('cquit 1')
end

local function wait(what, look)
  if not vim.wait(wait_ms, look, 20) then
    fail('timed out: ' .. what)
  end
end

local function lines()
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
end

local function split_caches()
  return vim.tbl_filter(function(one)
    return one.code == 'CK101'
  end, vim.diagnostic.get(0))
end

local function start()
  vim.cmd('edit ' .. vim.fn.fnameescape(file))
  vim.bo.filetype = 'dockerfile'
  local root = vim.fn.fnamemodify(file, ':h')
  local folder = { name = 'ws', uri = vim.uri_from_fname(root) }
  local settings = { name = 'cachekey', cmd = command, root_dir = root, workspace_folders = { folder } }
  if vim.lsp.start then
    return vim.lsp.start(settings)
  end
  local id = vim.lsp.start_client(settings)
  vim.lsp.buf_attach_client(0, id)
  return id
end

local function hover_text(id, diagnostic)
  vim.api.nvim_win_set_cursor(0, { diagnostic.lnum + 1, diagnostic.col })
  local client = vim.lsp.get_client_by_id(id)
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  local answer = vim.lsp.buf_request_sync(0, 'textDocument/hover', params, wait_ms)[id]
  return answer.result and answer.result.contents.value or ''
end

-- The command a user runs. Before 0.8 it cannot choose by itself: it asks through vim.ui.select.
local function quick_fix(title)
  local picked
  vim.ui.select = function(items, options, choose)
    for index, item in ipairs(items) do
      local shown = options.format_item and options.format_item(item) or tostring(item)
      if shown:find(title, 1, true) then
        picked = shown
        return choose(item, index)
      end
      say('  offered: ' .. shown)
    end
    fail('no quick fix with ' .. title)
  end
  vim.lsp.buf.code_action()
  wait('a quick fix is offered', function()
    return picked ~= nil
  end)
  return picked
end

local function story()
  local id = start()
  wait('a warning', function()
    return #split_caches() == 1
  end)
  local before = lines()
  local warning = split_caches()[1]
  say(('line %d: %s [%s]'):format(warning.lnum + 1, warning.message, warning.source))
  if not vim.fn.getline(warning.lnum + 1):find('/home/vscode/.cache/uv', 1, true) then
    fail('the warning stands on another line')
  end

  local text = hover_text(id, warning)
  if not text:find('/home/vscode/.cache/uv', 1, true) then
    fail('the hover does not tell the key: ' .. text)
  end
  say('hover tells the key')

  say('fixed by: ' .. quick_fix('uv-cache'))
  wait('the warning goes', function()
    return #split_caches() == 0
  end)
  vim.cmd('silent write')
  local _, ids = table.concat(vim.fn.readfile(file), '\n'):gsub('id=uv%-cache', '')
  if ids ~= 2 then
    fail('both mounts should have got the id:\n' .. lines())
  end
  say('fixed on disk')

  vim.cmd('silent undo')
  wait('the warning returns', function()
    return #split_caches() == 1 and lines() == before
  end)
  say('undone')

  vim.lsp.stop_client(id)
  wait('the server stops', function()
    return vim.lsp.get_client_by_id(id) == nil
  end)
  say('server stopped')
end

local ok, problem = xpcall(story, debug.traceback)
if not ok then
  fail(tostring(problem))
end
vim.cmd('qall!')
